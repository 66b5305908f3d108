import APIClient
import KubernetesModel

/// Rolls a Deployment's pods from one template to the next by way of ReplicaSets.
struct DeploymentController: Controller {
    private let client: any Client
    private let deployments: Informer
    private let replicaSets: Informer
    private let pods: Informer
    private let references: ControllerReferences
    private let recorder: EventRecorder

    let name = "deployments"
    let workers = 8
    var reads: [Informer] { [deployments, replicaSets, pods] }

    init(_ context: ControllerContext) {
        client = context.client
        deployments = context.informers[.deployments]
        replicaSets = context.informers[.replicaSets]
        pods = context.informers[.pods]
        references = ControllerReferences(client: context.client, owners: .deployments, type: .replicaSets)
        recorder = context.recorder("deployment-controller")
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        deployments.addHandler { queue.add($0.key) }
        replicaSets.addHandler { [deployments] change in
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
        pods.addHandler { [deployments, replicaSets] change in
            guard case .deleted(let pod) = change, let owner = pod.controller, owner.kind == "ReplicaSet",
                let deployment = replicaSets.get(namespace: pod.namespace, owner.name)?.controller,
                let object = deployments.get(namespace: pod.namespace, deployment.name), object.isRecreate
            else { return }
            queue.add(object.key)
        }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let deployment = deployments.get(key) else { return nil }
        guard let selector = LabelSelector(podsOf: deployment) else {
            recorder.record(
                deployment, .warning, reason: "SelectingAll",
                message: "This deployment is selecting all pods. A non-empty selector is required.")
            return nil
        }
        let claim = Claim(
            owner: deployment, selector: selector,
            managed: replicaSets.list(index: SharedInformers.byController, deployment.uid),
            unmanaged: replicaSets.list(index: SharedInformers.unmanaged, deployment.namespace))
        let owned = try await references.carryOut(claim, for: deployment)
        let plan = DeploymentPlan(
            deployment: deployment, replicaSets: owned, hasOldPods: { hasPods(of: owned, but: $0) }, now: .now)
        if let revision = plan.revision {
            let patch: JSON = ["metadata": ["annotations": [DeploymentAnnotation.revision: .string(String(revision))]]]
            let written = try await ignoringNotFound {
                try await client.patch(
                    .deployments, namespace: key.namespace, name: key.name, subresource: nil, .merge(patch))
            }
            if written == nil { return nil }
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
                    &status,
                    Condition("Progressing", false, reason: "ReplicaSetCreateError", message: "\(error.status)"),
                    now: .now)
                try await client.writeStatus(.deployments, deployment, status)
                throw error.status
            }
        }
        try await client.writeStatus(.deployments, deployment, plan.status)
        return plan.wait.map { .after(.seconds($0)) }
    }

    private struct CreationFailure: Error { let status: Status }

    /// - Returns: whether this changed something.
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
        case .delete(let set): return try await client.deleteIfPresent(.replicaSets, set)
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
}
