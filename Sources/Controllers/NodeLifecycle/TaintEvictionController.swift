import APIClient
import KubernetesModel

/// Deletes the pods that do not tolerate the `NoExecute` taints of their node.
struct TaintEvictionController: Controller {
    private let client: any Client
    private let nodes: Informer
    private let pods: Informer
    private let recorder: EventRecorder

    let name = "evictions"
    let workers = 2
    var reads: [Informer] { [nodes, pods] }

    init(_ context: ControllerContext) {
        client = context.client
        nodes = context.informers[.nodes]
        pods = context.informers[.pods]
        recorder = context.recorder("node-controller")
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        nodes.addHandler { change in
            if case .deleted = change { return }
            if change.object.hasNoExecuteTaint { queue.add(change.key) }
        }
        pods.addHandler { [nodes] change in
            if case .deleted = change { return }
            let name = change.object.nodeName
            if !name.isEmpty, nodes.get(namespace: "", name)?.hasNoExecuteTaint == true {
                queue.add(ObjectKey(name: name))
            }
        }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let node = nodes.get(key) else { return nil }
        let now = Timestamp.now
        var next: Timestamp?
        for pod in pods.list(index: SharedInformers.byNode, node.name) where !pod.isBeingDeleted {
            guard let moment = TaintEviction.moment(of: pod, on: node, now: now) else { continue }
            guard moment <= now else {
                next = next.map { min($0, moment) } ?? moment
                continue
            }
            recorder.record(
                pod, reason: "TaintManagerEviction", message: "Marking for deletion Pod \(pod.key)")
            try await client.deleteIfPresent(.pods, pod)
        }
        return next.map { .after(.seconds(max(0.01, $0.since(now)))) }
    }
}

extension Object {
    fileprivate var hasNoExecuteTaint: Bool { spec["taints"].items.contains { $0["effect"].string == "NoExecute" } }
}

/// When a pod is evicted because of its node's `NoExecute` taints.
enum TaintEviction {
    /// How long a pod without a toleration of its own stays on a node that is not ready or not reachable.
    private static let defaultSeconds = 300

    /// Nil for never. A moment in the past means now.
    static func moment(of pod: Object, on node: Object, now: Timestamp) -> Timestamp? {
        var moment: Timestamp?
        let tolerations = Pod(pod).tolerations
        for json in node.spec["taints"].items {
            let taint = Taint(json)
            guard taint.effect == "NoExecute" else { continue }
            let added = json["timeAdded"].string.flatMap(Timestamp.init) ?? now
            let matching = tolerations.filter { $0.tolerates(taint) }
            let seconds: Int
            if matching.isEmpty {
                let isHealth = taint.key == NodeHealth.notReady || taint.key == NodeHealth.unreachable
                seconds = isHealth ? defaultSeconds : 0
            } else {
                // One toleration without a limit tolerates for ever; otherwise the shortest counts.
                let limits = matching.compactMap(\.tolerationSeconds)
                guard limits.count == matching.count, let shortest = limits.min() else { continue }
                seconds = max(0, shortest)
            }
            let end = added.advanced(by: Double(seconds))
            moment = moment.map { min($0, end) } ?? end
        }
        return moment
    }
}
