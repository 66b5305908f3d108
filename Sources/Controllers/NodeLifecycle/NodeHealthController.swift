import APIClient
import KubernetesModel
import Synchronization

/// Marks nodes whose agent sends no heartbeat as `Unknown`, and taints nodes by their conditions.
struct NodeHealthController: Controller {
    private let client: any Client
    private let nodes: Informer
    private let leases: Informer
    private let pods: Informer
    private let heartbeats = Heartbeats()
    private let gracePeriod: Duration
    private let recorder: EventRecorder

    let name = "node health"
    let workers = 2
    var reads: [Informer] { [nodes, leases, pods] }

    init(_ context: ControllerContext) {
        client = context.client
        nodes = context.informers[.nodes]
        leases = context.informers[.leases]
        pods = context.informers[.pods]
        gracePeriod = context.options.nodeMonitorGracePeriod
        recorder = context.recorder("node-controller")
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        nodes.addHandler { [heartbeats] change in
            let node = change.object
            if case .deleted = change {
                heartbeats.forget(node.name)
                return
            }
            let heartbeat = node.condition("Ready")?.json["lastHeartbeatTime"].string
            heartbeats.note(node.name, "status", heartbeat ?? node.uid)
            queue.add(change.key)
        }
        leases.addHandler { [nodes, heartbeats] change in
            let lease = change.object
            guard lease.namespace == "kube-node-lease" else { return }
            if case .deleted = change { return }
            heartbeats.note(lease.name, "lease", lease.spec["renewTime"].string ?? "")
            // A renewal is the everyday case: only a node that is `Unknown` has to be reconciled.
            if nodes.get(namespace: "", lease.name)?.condition("Ready")?.status == "Unknown" {
                queue.add(ObjectKey(name: lease.name))
            }
        }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard var node = nodes.get(key), !node.isBeingDeleted else { return nil }
        let now = Timestamp.now
        let deadline = heartbeats.last(of: node.name) + gracePeriod
        let isSilent = deadline <= .now
        if isSilent {
            let status = NodeHealth.silentStatus(of: node, now: now)
            if status != node.status {
                try await client.writeStatus(.nodes, node, status)
                recorder.record(
                    node, reason: "NodeNotReady", message: "Node \(node.name) status is now: NodeNotReady")
                node.status = status
            }
        }
        try await taint(node, NodeHealth.taints(of: node, now: now))
        if node.condition("Ready")?.status == "Unknown" { try await unready(node, now) }
        return isSilent ? nil : .after(deadline - .now)
    }

    private func taint(_ node: Object, _ taints: [JSON]) async throws {
        guard taints != node.spec["taints"].items else { return }
        // The revision keeps a taint that a user adds meanwhile.
        var metadata: JSON = ["uid": .string(node.uid)]
        if let current = nodes.get(node.key) { metadata["resourceVersion"] = .string(current.resourceVersion) }
        let patch: JSON = [
            "metadata": metadata, "spec": ["taints": taints.isEmpty ? .null : .array(taints)],
        ]
        try await client.patch(.nodes, namespace: nil, name: node.name, subresource: nil, .merge(patch))
    }

    /// Pods of a node without heartbeats get no traffic: nothing reports that they are ready.
    private func unready(_ node: Object, _ now: Timestamp) async throws {
        let ready = pods.list(index: SharedInformers.byNode, node.name).filter(\.isReadyPod)
        try await concurrently(ready) { pod in
            var changed = pod
            changed.setCondition(Condition("Ready", false), now: now)
            try await client.writeStatus(.pods, pod, changed.status)
            recorder.record(pod, .warning, reason: "NodeNotReady", message: "Node is not ready")
        }
    }
}

/// The last heartbeat of each node, by this process's clock: the node's own may differ.
final class Heartbeats: Sendable {
    private struct Heard {
        var signs: [String: String] = [:]
        var moment = ContinuousClock.now
    }

    private let heard = Mutex<[String: Heard]>([:])

    /// Notes a heartbeat: a new value of a field that the node renews.
    func note(_ node: String, _ field: String, _ value: String) {
        heard.withLock { heard in
            var entry = heard[node] ?? Heard()
            if entry.signs[field] != value {
                entry.signs[field] = value
                entry.moment = .now
            }
            heard[node] = entry
        }
    }

    func last(of node: String) -> ContinuousClock.Instant {
        heard.withLock { heard in
            let entry = heard[node] ?? Heard()
            heard[node] = entry
            return entry.moment
        }
    }

    func forget(_ node: String) { heard.withLock { _ = $0.removeValue(forKey: node) } }
}
