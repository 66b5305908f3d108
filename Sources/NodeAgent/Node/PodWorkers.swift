import APIClient
import KubernetesModel
import Linux
import Logging
import PodRuntime

/// The workers of a node's pods: makes one for each pod, and forwards what concerns it.
actor PodWorkers {
    private let node: NodeContext
    private let pods: Informer
    private let nodes: Informer
    private let changes: AsyncStream<Change>
    private var workers: [String: PodWorker] = [:]
    /// What earlier agents left running, by the pod's UID, until its worker takes it over.
    private var sandboxes: [String: Sandbox] = [:]

    init(_ node: NodeContext) {
        self.node = node
        let name = node.configuration.nodeName
        pods = Informer(
            node.client, .pods, scope: InformerScope(fieldSelector: "spec.nodeName=\(name)"), logger: node.logger)
        nodes = Informer(
            node.client, .nodes, scope: InformerScope(fieldSelector: "metadata.name=\(name)"), logger: node.logger)
        changes = pods.changes()
    }

    func worker(uid: String) -> PodWorker? { workers[uid] }
    var all: [PodWorker] { Array(workers.values) }

    /// Runs the node's pods until cancelled; they go on without it.
    func run() async throws {
        let found = try await node.runtime.sandboxes()
        sandboxes = Dictionary(found.map { ($0.podUID, $0) }, uniquingKeysWith: { $1 })
        await withDiscardingTaskGroup { group in
            let (pods, nodes) = (pods, nodes)
            group.addTask { await pods.run() }
            group.addTask { await nodes.run() }
            await nodes.waitForSync()
            await pods.waitForSync()
            // The pods of the first list take over what runs, oldest first, before anything new is admitted.
            let listed = pods.list().sorted {
                ($0.metadata["creationTimestamp"].string ?? "", $0.uid) < (
                    $1.metadata["creationTimestamp"].string ?? "", $1.uid
                )
            }
            for pod in listed { await update(pod, &group) }
            group.addTask { await self.removeStrays(known: Set(listed.map(\.uid))) }
            group.addTask { await self.passExits() }
            for await change in changes {
                switch change {
                case .added(let pod): await update(pod, &group)
                case .updated(let old, let new):
                    if old.uid != new.uid { workers[old.uid]?.inbox.yield(.gone) }
                    await update(new, &group)
                case .deleted(let pod): workers[pod.uid]?.inbox.yield(.gone)
                }
            }
            group.cancelAll()
        }
    }

    /// Makes the pods that use an object read it again.
    func referencesChanged(_ pods: Set<String>) {
        for uid in pods { workers[uid]?.inbox.yield(.referencesChanged) }
    }

    private func update(_ pod: Object, _ group: inout DiscardingTaskGroup) async {
        if let worker = workers[pod.uid] {
            worker.inbox.yield(.specification(pod))
            return
        }
        // The first list's own changes come after it; what has gone meanwhile is not begun again.
        guard pods.get(pod.key)?.uid == pod.uid else { return }
        let worker = await makeWorker(pod)
        workers[pod.uid] = worker
        group.addTask {
            await worker.run()
            if !Task.isCancelled { await self.ended(worker) }
        }
    }

    private func makeWorker(_ pod: Object) async -> PodWorker {
        if let sandbox = sandboxes.removeValue(forKey: pod.uid) { return PodWorker(node, pod: pod, sandbox: sandbox) }
        let hasBegun = !pod.status["startTime"].isNull || pod.isBeingDeleted
        if !hasBegun, let rejection = await rejection(pod) {
            node.events.record(pod, .warning, reason: rejection.reason, message: rejection.message)
            let machine = PodStateMachine(
                rejected: pod, reason: rejection.reason, message: rejection.message, now: .now)
            return PodWorker(node, machine: machine)
        }
        return PodWorker(node, pod: pod, sandbox: nil)
    }

    private func rejection(_ pod: Object) async -> PodAdmission.Rejection? {
        let shape = node.configuration.shape
        let own = nodes.get(node.configuration.nodeName)
        let admission = PodAdmission(
            allocatable: shape.capacity.compactMapValues { Quantity($0) }, labels: own?.labels ?? shape.labels,
            allowedUnsafeSysctls: shape.allowedUnsafeSysctls)
        var others: [Pod] = []
        for worker in workers.values {
            if let other = await worker.activePod { others.append(other) }
        }
        return admission.check(Pod(pod), others: others)
    }

    private func ended(_ worker: PodWorker) {
        if workers[worker.uid] === worker { workers[worker.uid] = nil }
    }

    private func passExits() async {
        for await state in node.runtime.exits {
            await workers[state.id.podUID]?.exited(state)
        }
    }

    /// Removes the remains of pods that were deleted while no agent ran.
    private func removeStrays(known: Set<String>) async {
        for uid in sandboxes.keys where !known.contains(uid) {
            do {
                try await node.runtime.removeSandbox(podUID: uid)
            } catch {
                node.logger.warning("the sandbox of the deleted pod \(uid) was not removed: \(error)")
            }
            await node.addresses.release(uid: uid)
        }
        sandboxes = [:]
        let configuration = node.configuration
        let strays = await Blocking.run {
            let places = [configuration.paths.pods, configuration.paths.memory]
            let directories = Set(places.flatMap { (try? listDirectory($0)) ?? [] }).subtracting(known)
            for uid in directories { removePodDirectories(uid, of: configuration.paths) }
            for logs in (try? listDirectory(configuration.paths.podLogs)) ?? [] {
                if let uid = logs.split(separator: "_").last, !known.contains(String(uid)) {
                    try? removeTree("\(configuration.paths.podLogs)/\(logs)")
                }
            }
            return directories
        }
        for uid in strays { await node.addresses.release(uid: uid) }
    }
}
