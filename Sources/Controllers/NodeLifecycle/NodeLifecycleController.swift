import APIClient
import KubernetesModel
import Synchronization

/// Watches over the nodes: notes which ones are silent, taints those that are not well, and takes pods off them.
struct NodeLifecycleController: ControlLoop {
    private let health: Controller
    private let evictions: Controller
    private let recorder: EventRecorder

    init(_ context: ControlLoopContext) {
        let nodes = context.informers[.nodes]
        let leases = context.informers[.leases]
        let pods = context.informers[.pods]
        let healthQueue = WorkQueue<ObjectKey>()
        let evictionQueue = WorkQueue<ObjectKey>()
        let heartbeats = Heartbeats()
        recorder = context.recorder("node-controller")
        health = Controller(
            name: "node health", queue: healthQueue,
            reconciler: NodeHealthReconciler(
                client: context.client, nodes: nodes, pods: pods, heartbeats: heartbeats,
                gracePeriod: context.options.nodeMonitorGracePeriod, recorder: recorder),
            reads: [nodes, leases, pods], workers: 2, logger: context.logger)
        evictions = Controller(
            name: "evictions", queue: evictionQueue,
            reconciler: EvictionReconciler(client: context.client, nodes: nodes, pods: pods, recorder: recorder),
            reads: [nodes, pods], workers: 2, logger: context.logger)

        nodes.addHandler { change in
            let node = change.object
            if case .deleted = change {
                heartbeats.forget(node.name)
                return
            }
            let heartbeat = node.status["conditions"].condition("Ready")["lastHeartbeatTime"].string
            heartbeats.note(node.name, "status", heartbeat ?? node.uid)
            healthQueue.add(change.key)
            if node.hasNoExecuteTaint { evictionQueue.add(change.key) }
        }
        leases.addHandler { change in
            let lease = change.object
            guard lease.namespace == "kube-node-lease" else { return }
            if case .deleted = change { return }
            heartbeats.note(lease.name, "lease", lease.spec["renewTime"].string ?? "")
            // A renewal is the everyday case: only a node that was given up for silent has to be looked at.
            if nodes.get(namespace: "", lease.name)?.status["conditions"].condition("Ready")["status"].string
                == "Unknown"
            {
                healthQueue.add(ObjectKey(name: lease.name))
            }
        }
        pods.addHandler { change in
            guard case .deleted = change else {
                let name = change.object.nodeName
                if !name.isEmpty, nodes.get(namespace: "", name)?.hasNoExecuteTaint == true {
                    evictionQueue.add(ObjectKey(name: name))
                }
                return
            }
        }
    }

    func run() async { await run([health, evictions], recorder: recorder) }
}

extension Object {
    fileprivate var hasNoExecuteTaint: Bool { spec["taints"].items.contains { $0["effect"].string == "NoExecute" } }
}

/// When each node was last heard of, by this process's clock: the node's own may differ.
final class Heartbeats: Sendable {
    private struct Heard {
        var signs: [String: String] = [:]
        var moment = ContinuousClock.now
    }

    private let heard = Mutex<[String: Heard]>([:])

    /// Notes a sign of life: a new value of a field that the node renews.
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

struct NodeHealthReconciler: Reconciler {
    let client: any Client
    let nodes: Informer
    let pods: Informer
    let heartbeats: Heartbeats
    let gracePeriod: Duration
    let recorder: EventRecorder

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
        if node.status["conditions"].condition("Ready")["status"].string == "Unknown" { try await unready(node, now) }
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

    /// Pods of a silent node get no traffic: nobody says that they are still ready.
    private func unready(_ node: Object, _ now: Timestamp) async throws {
        let ready = pods.list(index: SharedInformers.byNode, node.name).filter(\.isReadyPod)
        try await concurrently(ready) { pod in
            var changed = pod
            changed.setCondition(Condition("Ready", false), now: now)
            do {
                try await client.writeStatus(.pods, pod, changed.status)
            } catch let status as Status where status.isNotFound {}
            recorder.record(pod, .warning, reason: "NodeNotReady", message: "Node is not ready")
        }
    }
}

struct EvictionReconciler: Reconciler {
    let client: any Client
    let nodes: Informer
    let pods: Informer
    let recorder: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let node = nodes.get(key) else { return nil }
        let now = Timestamp.now
        var next: Timestamp?
        for pod in pods.list(index: SharedInformers.byNode, node.name) where !pod.isBeingDeleted {
            guard let moment = Eviction.moment(of: pod, on: node, now: now) else { continue }
            guard moment <= now else {
                next = next.map { min($0, moment) } ?? moment
                continue
            }
            recorder.record(
                pod, reason: "TaintManagerEviction", message: "Marking for deletion Pod \(pod.key)")
            do {
                try await client.delete(.pods, pod.key, options: DeleteOptions(uid: pod.uid))
            } catch let status as Status where status.isNotFound || status.isConflict {}
        }
        return next.map { .after(.seconds(max(0.01, $0.since(now)))) }
    }
}
