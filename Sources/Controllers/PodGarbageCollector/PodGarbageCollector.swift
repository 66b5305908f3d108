import APIClient
import KubernetesModel

/// Removes pods that no node agent will: those of nodes that are gone, those that were deleted before they had a node,
/// and ended ones beyond a limit.
struct PodGarbageCollector: Controller {
    /// The key under which the number of ended pods is looked at; no pod has it.
    private static let ended = ObjectKey(name: "")

    private let client: any Client
    private let pods: Informer
    private let nodes: Informer
    private let limit: Int

    let name = "pod garbage"
    let workers = 2
    var reads: [Informer] { [pods, nodes] }

    init(_ context: ControllerContext) {
        client = context.client
        pods = context.informers[.pods]
        nodes = context.informers[.nodes]
        limit = context.options.terminatedPodLimit
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        pods.addHandler { [pods, nodes, limit] change in
            if case .deleted = change { return }
            let pod = change.object
            let isLost = !pod.nodeName.isEmpty && nodes.hasSynced && nodes.get(namespace: "", pod.nodeName) == nil
            let isUnscheduled = pod.isBeingDeleted && pod.nodeName.isEmpty
            if isLost || isUnscheduled || !nodes.hasSynced { queue.add(pod.key) }
            if pod.hasEnded, pods.count > limit { queue.add(Self.ended) }
        }
        nodes.addHandler { [pods] change in
            guard case .deleted(let node) = change else { return }
            for pod in pods.list(index: SharedInformers.byNode, node.name) { queue.add(pod.key) }
        }
    }

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
        // The node may have come only just now.
        guard try await client.getIfPresent(.nodes, ObjectKey(name: pod.nodeName)) == nil else { return nil }
        try await fail(pod)
        try await remove(pod)
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

    /// A pod whose node is gone did not succeed: its watchers must see that before it is deleted.
    private func fail(_ pod: Object) async throws {
        guard !pod.hasEnded else { return }
        var status = pod.status
        status["phase"] = "Failed"
        status.conditions.set(
            Condition(
                "DisruptionTarget", true, reason: "DeletionByPodGC", message: "PodGC: node no longer exists"))
        try await client.writeStatus(.pods, pod, status)
    }

    private func remove(_ pod: Object) async throws {
        try await client.deleteIfPresent(.pods, pod, gracePeriodSeconds: 0)
    }
}
