import APIClient
import KubernetesModel

/// Rolls a Deployment's pods from one template to the next by way of ReplicaSets.
struct DeploymentController: ControlLoop {
    private let controller: Controller
    private let recorder: EventRecorder

    init(_ context: ControlLoopContext) {
        let deployments = context.informers[.deployments]
        let replicaSets = context.informers[.replicaSets]
        let pods = context.informers[.pods]
        let queue = WorkQueue<ObjectKey>()
        recorder = context.recorder("deployment-controller")
        controller = Controller(
            name: "deployments", queue: queue,
            reconciler: DeploymentReconciler(
                client: context.client, deployments: deployments, replicaSets: replicaSets, pods: pods,
                recorder: recorder),
            reads: [deployments, replicaSets, pods], workers: 8, logger: context.logger)

        deployments.addHandler { queue.add($0.key) }
        replicaSets.addHandler { change in
            let set = change.object
            if let owner = set.controller {
                if owner.kind == "Deployment" { queue.add(ObjectKey(namespace: set.namespace, name: owner.name)) }
                return
            }
            let labels = set.labels
            for deployment in deployments.list(namespace: set.namespace)
            where LabelSelector(podsOf: deployment)?.matches(labels) == true {
                queue.add(deployment.key)
            }
        }
        // Only `Recreate` waits for pods: for the last one of a ReplicaSet to go.
        pods.addHandler { change in
            guard case .deleted(let pod) = change, let owner = pod.controller, owner.kind == "ReplicaSet",
                let deployment = replicaSets.get(namespace: pod.namespace, owner.name)?.controller,
                let object = deployments.get(namespace: pod.namespace, deployment.name), object.isRecreate
            else { return }
            queue.add(object.key)
        }
    }

    func run() async { await run([controller], recorder: recorder) }
}

struct DeploymentReconciler: Reconciler {
    let client: any Client
    let deployments: Informer
    let replicaSets: Informer
    let pods: Informer
    let recorder: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let deployment = deployments.get(key) else { return nil }
        guard let selector = LabelSelector(podsOf: deployment) else {
            recorder.record(
                deployment, .warning, reason: "SelectingAll",
                message: "This deployment is selecting all pods. A non-empty selector is required.")
            return nil
        }
        let owned = try await claim(selector, for: deployment)
        let plan = DeploymentPlan(
            deployment: deployment, replicaSets: owned, hasOldPods: { hasPods(of: owned, but: $0) }, now: .now)
        if let revision = plan.revision {
            let patch: JSON = ["metadata": ["annotations": [DeploymentAnnotation.revision: .string(String(revision))]]]
            do {
                try await client.patch(
                    .deployments, namespace: key.namespace, name: key.name, subresource: nil, .merge(patch))
            } catch let status as Status where status.isNotFound {
                return nil
            }
        }
        for action in plan.actions {
            do {
                guard try await carryOut(action, for: deployment), let event = plan.events[action.replicaSet.name]
                else {
                    continue
                }
                recorder.record(deployment, reason: "ScalingReplicaSet", message: event)
            } catch let error as CreationFailure {
                var status = plan.status
                DeploymentStatus.setCondition(
                    &status, "Progressing", "False", "ReplicaSetCreateError", "\(error.status)", now: .now)
                try await client.writeStatus(.deployments, deployment, status)
                throw error.status
            }
        }
        try await client.writeStatus(.deployments, deployment, plan.status)
        return plan.wait.map { .after(.seconds($0)) }
    }

    private struct CreationFailure: Error { let status: Status }

    /// Returns whether it was this that changed something.
    private func carryOut(_ action: DeploymentPlan.Action, for deployment: Object) async throws -> Bool {
        switch action {
        case .create(let set):
            do {
                try await client.create(.replicaSets, set)
            } catch let status as Status where status.isAlreadyExists {
                try await resolveCollision(set, deployment)
                return false
            } catch let status as Status {
                throw CreationFailure(status: status)
            }
        case .update(let set): try await client.update(.replicaSets, set)
        case .delete(let set):
            do {
                try await client.delete(.replicaSets, set.key, options: DeleteOptions(uid: set.uid))
            } catch let status as Status where status.isNotFound {
                return false
            }
        }
        return true
    }

    /// A ReplicaSet has the name already: it is the wanted one, which the informer has not shown yet, or one of another
    /// template with the same hash.
    private func resolveCollision(_ set: Object, _ deployment: Object) async throws {
        let existing = try await client.get(.replicaSets, set.key)
        if existing.controller?.uid == deployment.uid,
            PodTemplate.areEqual(existing.spec["template"], deployment.spec["template"])
        {
            return
        }
        var status = deployment.status
        status["collisionCount"] = JSON((status["collisionCount"].int ?? 0) + 1)
        try await client.writeStatus(.deployments, deployment, status)
        throw Status.alreadyExists(.replicaSets, set.name)
    }

    private func hasPods(of sets: [Object], but current: Object?) -> Bool {
        sets.contains { set in
            set.uid != current?.uid
                && pods.list(index: SharedInformers.byController, set.uid).contains { !$0.hasEnded }
        }
    }

    /// The Deployment's ReplicaSets. Takes in those without an owner that match; lets go those that match no longer.
    private func claim(_ selector: LabelSelector, for deployment: Object) async throws -> [Object] {
        var owned: [Object] = []
        for set in replicaSets.list(index: SharedInformers.byController, deployment.uid) {
            if selector.matches(set.labels) || deployment.isBeingDeleted {
                owned.append(set)
            } else {
                try await setOwners(set.ownerReferences.filter { !$0.isController }.map(\.json), of: set)
            }
        }
        guard !deployment.isBeingDeleted else { return owned }
        let orphans = replicaSets.list(index: SharedInformers.unmanaged, deployment.namespace).filter {
            !$0.isBeingDeleted && selector.matches($0.labels)
        }
        guard !orphans.isEmpty else { return owned }
        let current = try await client.get(.deployments, deployment.key)
        guard current.uid == deployment.uid, !current.isBeingDeleted else { return owned }
        for set in orphans {
            let references = set.ownerReferences.map(\.json) + [OwnerReference(controller: deployment).json]
            owned.append(try await setOwners(references, of: set))
        }
        return owned
    }

    @discardableResult
    private func setOwners(_ references: [JSON], of set: Object) async throws -> Object {
        let patch: JSON = [
            "metadata": [
                "uid": .string(set.uid), "resourceVersion": .string(set.resourceVersion),
                "ownerReferences": .array(references),
            ]
        ]
        return try await client.patch(
            .replicaSets, namespace: set.namespace, name: set.name, subresource: nil, .merge(patch))
    }
}
