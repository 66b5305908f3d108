import APIClient
import KubernetesModel

/// Keeps as many pods as a ReplicaSet or a ReplicationController asks for.
struct ReplicaSetController: ControlLoop {
    private let controller: Controller
    private let recorder: EventRecorder

    init(_ context: ControlLoopContext, type: ResourceType) {
        let owners = context.informers[type]
        let pods = context.informers[.pods]
        let queue = WorkQueue<ObjectKey>()
        let expectations = Expectations()
        recorder = context.recorder(type == .replicaSets ? "replicaset-controller" : "replication-controller")
        let reconciler = ReplicaSetReconciler(
            client: context.client, type: type, owners: owners, pods: pods, expectations: expectations,
            recorder: recorder)
        controller = Controller(
            name: type.plural, queue: queue, reconciler: reconciler, reads: [owners, pods], workers: 8,
            logger: context.logger)

        owners.addHandler { change in
            if case .deleted(let owner) = change { expectations.forget(owner.key) }
            queue.add(change.key)
        }
        pods.addHandler { change in
            func enqueueController(of pod: Object) -> Bool {
                guard let owner = pod.controller else { return false }
                if owner.kind == type.kind, owner.apiVersion == type.apiVersion {
                    queue.add(ObjectKey(namespace: pod.namespace, name: owner.name))
                }
                return true
            }
            if case .updated(let old, let new) = change, old.controller != new.controller {
                _ = enqueueController(of: old)
            }
            if enqueueController(of: change.object) { return }
            // Nobody manages it: whoever it matches may want it.
            switch change {
            case .deleted: return
            case .updated(let old, let new) where old.labels == new.labels && old.controller == new.controller: return
            case .added(let pod), .updated(_, let pod):
                let labels = pod.labels
                for owner in owners.list(namespace: pod.namespace)
                where LabelSelector(podsOf: owner)?.matches(labels) == true {
                    queue.add(owner.key)
                }
            }
        }
    }

    func run() async { await run([controller], recorder: recorder) }
}

struct ReplicaSetReconciler: Reconciler {
    let client: any Client
    let type: ResourceType
    let owners: Informer
    let pods: Informer
    let expectations: Expectations
    let recorder: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let owner = owners.get(key), let selector = LabelSelector(podsOf: owner) else { return nil }
        // A pod event calls again as soon as the informer has caught up.
        guard expectations.areMet(for: key, by: pods) else { return nil }
        let now = Timestamp.now
        let managed = pods.list(index: SharedInformers.byController, owner.uid)
        var plan = ReplicaPlan(
            owner: owner, matches: selector.matches, managed: managed,
            unmanaged: pods.list(index: SharedInformers.unmanaged, owner.namespace), related: related(to: owner),
            now: now)
        var failure: ReplicaStatus.Failure?
        var failed: (any Error)?
        do {
            try await release(plan.release)
            plan.owned += try await adopt(plan.adopt, by: owner)
            try await carryOut(plan, for: owner)
        } catch {
            failed = error
            // A namespace that goes away wants no pods; that is no failure of this owner.
            if let status = error as? Status, status.isNamespaceTerminating { return nil }
            if plan.create > 0 || !plan.delete.isEmpty {
                failure = ReplicaStatus.Failure(
                    reason: plan.create > 0 ? "FailedCreate" : "FailedDelete", message: "\(error)")
            }
        }
        let waits = ReplicaStatus.secondsToNextAvailable(of: owner, pods: plan.owned, now: now)
        // What was just created or deleted changes the counts again at once: one write then instead of two.
        if failed != nil || (plan.create == 0 && plan.delete.isEmpty) {
            try await client.writeStatus(
                type, owner, ReplicaStatus.status(of: owner, pods: plan.owned, failure: failure, now: now))
        }
        if let failed { throw failed }
        return waits.map { .after(.seconds($0)) }
    }

    private func related(to owner: Object) -> [Object] {
        let siblings = owner.controller.map { owners.list(index: SharedInformers.byController, $0.uid) } ?? [owner]
        return siblings.flatMap { pods.list(index: SharedInformers.byController, $0.uid) }
    }

    private func release(_ pods: [Object]) async throws {
        for pod in pods {
            let references = pod.ownerReferences.filter { !$0.isController }.map(\.json)
            try await setOwners(references, of: pod)
        }
    }

    private func adopt(_ pods: [Object], by owner: Object) async throws -> [Object] {
        guard !pods.isEmpty else { return [] }
        // An owner that was deleted meanwhile must not take anything in; the cache may not know yet.
        let current = try await client.get(type, owner.key)
        guard current.uid == owner.uid, !current.isBeingDeleted else { return [] }
        for pod in pods {
            try await setOwners(
                pod.ownerReferences.map(\.json) + [OwnerReference(controller: owner).json], of: pod)
        }
        return pods
    }

    private func setOwners(_ references: [JSON], of pod: Object) async throws {
        let patch: JSON = [
            "metadata": [
                "uid": .string(pod.uid), "resourceVersion": .string(pod.resourceVersion),
                "ownerReferences": .array(references),
            ]
        ]
        do {
            try await client.patch(.pods, namespace: pod.namespace, name: pod.name, subresource: nil, .merge(patch))
        } catch let status as Status where status.isNotFound {
            // Gone meanwhile: nobody's any more.
        }
    }

    private func carryOut(_ plan: ReplicaPlan, for owner: Object) async throws {
        let pod = ReplicaPlan.pod(for: owner)
        for round in ReplicaPlan.rounds(plan.create) {
            try await concurrently(0..<round) { _ in try await create(pod, for: owner) }
        }
        try await concurrently(plan.delete) { pod in try await delete(pod, of: owner) }
    }

    private func create(_ pod: Object, for owner: Object) async throws {
        do {
            let created = try await client.create(.pods, pod)
            expectations.created(created, by: owner.key)
            recorder.record(owner, reason: "SuccessfulCreate", message: "Created pod: \(created.name)")
        } catch {
            recorder.record(owner, .warning, reason: "FailedCreate", message: "Error creating: \(error)")
            throw error
        }
    }

    private func delete(_ pod: Object, of owner: Object) async throws {
        do {
            try await client.delete(.pods, pod.key, options: DeleteOptions(uid: pod.uid))
            expectations.deleted(pod, by: owner.key)
            recorder.record(owner, reason: "SuccessfulDelete", message: "Deleted pod: \(pod.name)")
        } catch let status as Status where status.isNotFound {
            expectations.deleted(pod, by: owner.key)
        } catch {
            recorder.record(owner, .warning, reason: "FailedDelete", message: "Error deleting: \(error)")
            throw error
        }
    }
}

/// Does something for each element, all at once; throws the first failure when all have ended.
func concurrently<Elements: Sequence & Sendable>(
    _ elements: Elements, _ body: @escaping @Sendable (Elements.Element) async throws -> Void
) async throws where Elements.Element: Sendable {
    let failure = await withTaskGroup(of: (any Error)?.self) { group in
        for element in elements {
            group.addTask {
                do {
                    try await body(element)
                    return nil
                } catch {
                    return error
                }
            }
        }
        var first: (any Error)?
        for await failure in group { first = first ?? failure }
        return first
    }
    if let failure { throw failure }
}
