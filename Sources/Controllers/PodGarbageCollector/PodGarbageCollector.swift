import APIClient
import KubernetesModel

/// Removes pods that no node agent will: those of nodes that are gone, those that were deleted before they had a node,
/// and ended ones beyond a limit.
struct PodGarbageCollector: ControlLoop {
    private let controller: Controller

    init(_ context: ControlLoopContext) {
        let pods = context.informers[.pods]
        let nodes = context.informers[.nodes]
        let queue = WorkQueue<ObjectKey>()
        let limit = context.options.terminatedPodLimit
        controller = Controller(
            name: "pod garbage", queue: queue,
            reconciler: PodGarbageReconciler(client: context.client, pods: pods, nodes: nodes, limit: limit),
            reads: [pods, nodes], workers: 2, logger: context.logger)
        pods.addHandler { change in
            if case .deleted = change { return }
            let pod = change.object
            let isLost = !pod.nodeName.isEmpty && nodes.hasSynced && nodes.get(namespace: "", pod.nodeName) == nil
            let isUnscheduled = pod.isBeingDeleted && pod.nodeName.isEmpty
            if isLost || isUnscheduled || !nodes.hasSynced { queue.add(pod.key) }
            if pod.hasEnded, pods.count > limit { queue.add(PodGarbageReconciler.ended) }
        }
        nodes.addHandler { change in
            guard case .deleted(let node) = change else { return }
            for pod in pods.list(index: SharedInformers.byNode, node.name) { queue.add(pod.key) }
        }
    }

    func run() async { await run([controller]) }
}

struct PodGarbageReconciler: Reconciler {
    /// The key under which the number of ended pods is looked at; no pod has it.
    static let ended = ObjectKey(name: "")

    let client: any Client
    let pods: Informer
    let nodes: Informer
    let limit: Int

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        if key == Self.ended {
            try await concurrently(Self.surplus(of: pods.list(), limit: limit)) { try await remove($0) }
            return nil
        }
        guard let pod = pods.get(key) else { return nil }
        if pod.nodeName.isEmpty {
            if pod.isBeingDeleted { try await remove(pod) }
            return nil
        }
        guard nodes.get(namespace: "", pod.nodeName) == nil else { return nil }
        do {
            // The node may have come only just now.
            _ = try await client.get(.nodes, namespace: nil, name: pod.nodeName)
        } catch let status as Status where status.isNotFound {
            try await fail(pod)
            try await remove(pod)
        }
        return nil
    }

    /// The ended pods beyond the limit, oldest first.
    static func surplus(of pods: [Object], limit: Int) -> [Object] {
        let ended = pods.filter(\.hasEnded)
        guard ended.count > limit else { return [] }
        let ordered = ended.sorted {
            ($0.creationTimestamp ?? Timestamp(seconds: 0), $0.name)
                < ($1.creationTimestamp ?? Timestamp(seconds: 0), $1.name)
        }
        return Array(ordered.prefix(ended.count - limit))
    }

    /// A pod whose node is gone did not succeed: who watches it must see that before it vanishes.
    private func fail(_ pod: Object) async throws {
        guard !pod.hasEnded else { return }
        var status = pod.status
        status["phase"] = "Failed"
        let condition: JSON = [
            "type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists", "lastTransitionTime": .string(Timestamp.now.description),
        ]
        status["conditions"] = .array(
            status["conditions"].items.filter { $0["type"].string != "DisruptionTarget" } + [condition])
        do {
            try await client.writeStatus(.pods, pod, status)
        } catch let status as Status where status.isNotFound {}
    }

    private func remove(_ pod: Object) async throws {
        do {
            try await client.delete(.pods, pod.key, options: DeleteOptions(gracePeriodSeconds: 0, uid: pod.uid))
        } catch let status as Status where status.isNotFound || status.isConflict {}
    }
}
