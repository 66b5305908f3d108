import APIClient
import KubernetesModel

/// Keeps as many pods as a ReplicaSet or a ReplicationController asks for.
struct ReplicaSetController: Controller {
    private let client: any Client
    private let type: ResourceType
    private let owners: Informer
    private let pods: Informer
    private let references: ControllerReferences
    private let recorder: EventRecorder
    private let expectations = Expectations()

    let workers = 8
    var name: String { type.plural }
    var reads: [Informer] { [owners, pods] }

    init(_ context: ControllerContext, type: ResourceType) {
        client = context.client
        self.type = type
        owners = context.informers[type]
        pods = context.informers[.pods]
        references = ControllerReferences(client: context.client, owners: type, type: .pods)
        recorder = context.recorder(type == .replicaSets ? "replicaset-controller" : "replication-controller")
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        owners.addHandler { [expectations] change in
            if case .deleted(let owner) = change { expectations.forget(owner.key) }
            queue.add(change.key)
        }
        pods.addHandler { [type, owners] change in
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
            // An orphan: any owner whose selector matches may adopt it.
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

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let owner = owners.get(key), let selector = LabelSelector(podsOf: owner) else { return nil }
        // A pod event calls again as soon as the informer has caught up.
        guard expectations.areMet(for: key, by: pods) else { return nil }
        let now = Timestamp.now
        let claim = Claim(
            owner: owner, selector: selector,
            managed: pods.list(index: SharedInformers.byController, owner.uid).filter(\.isActivePod),
            unmanaged: pods.list(index: SharedInformers.unmanaged, owner.namespace).filter(\.isActivePod))
        let plan = ReplicaPlan(owner: owner, claim: claim, related: related(to: owner), now: now)
        var owned = claim.kept
        var failure: ReplicaStatus.Failure?
        var failed: (any Error)?
        do {
            owned = try await references.carryOut(claim, for: owner)
            try await carryOut(plan, for: owner)
        } catch {
            failed = error
            // A terminating namespace takes no pods; that is no failure of this owner.
            if let status = error as? Status, status.isNamespaceTerminating { return nil }
            if plan.create > 0 || !plan.delete.isEmpty {
                failure = ReplicaStatus.Failure(
                    reason: plan.create > 0 ? "FailedCreate" : "FailedDelete", message: "\(error)")
            }
        }
        let waits = ReplicaStatus.secondsToNextAvailable(of: owner, pods: owned, now: now)
        // Pods that were just created or deleted change the counts again at once: one write then instead of two.
        if failed != nil || (plan.create == 0 && plan.delete.isEmpty) {
            try await client.writeStatus(
                type, owner, ReplicaStatus.status(of: owner, pods: owned, failure: failure, now: now))
        }
        if let failed { throw failed }
        return waits.map { .after(.seconds($0)) }
    }

    private func related(to owner: Object) -> [Object] {
        let siblings = owner.controller.map { owners.list(index: SharedInformers.byController, $0.uid) } ?? [owner]
        return siblings.flatMap { pods.list(index: SharedInformers.byController, $0.uid) }
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
            let wasPresent = try await client.deleteIfPresent(.pods, pod)
            expectations.deleted(pod, by: owner.key)
            if wasPresent {
                recorder.record(owner, reason: "SuccessfulDelete", message: "Deleted pod: \(pod.name)")
            }
        } catch {
            recorder.record(owner, .warning, reason: "FailedDelete", message: "Error deleting: \(error)")
            throw error
        }
    }
}
