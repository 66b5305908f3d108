import APIClient
import KubernetesModel

/// Counts the pods of PodDisruptionBudgets, by which evictions are allowed.
struct DisruptionController: Controller {
    private let client: any Client
    private let budgets: Informer
    private let pods: Informer
    /// What has pods and a number of replicas.
    private let owners: [Informer]
    private let recorder: EventRecorder

    let name = "disruption"
    var reads: [Informer] { [budgets, pods] + owners }

    init(_ context: ControllerContext) {
        client = context.client
        budgets = context.informers[.podDisruptionBudgets]
        pods = context.informers[.pods]
        owners = [.replicaSets, .deployments, .replicationControllers, .statefulSets].map { context.informers[$0] }
        recorder = context.recorder("controllermanager")
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        budgets.addHandler { queue.add($0.key) }
        pods.addHandler { [budgets] change in
            var labels = [change.object.labels]
            if case .updated(let old, let new) = change, old.labels != new.labels { labels.append(old.labels) }
            for budget in budgets.list(namespace: change.object.namespace)
            where labels.contains(where: { Self.selector(of: budget)?.matches($0) ?? false }) {
                queue.add(budget.key)
            }
        }
        for owner in owners {
            owner.addHandler { [budgets] change in
                if case .updated(let old, let new) = change, old.replicas == new.replicas { return }
                for budget in budgets.list(namespace: change.object.namespace) { queue.add(budget.key) }
            }
        }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let budget = budgets.get(key), !budget.isBeingDeleted else { return nil }
        let selector = Self.selector(of: budget)
        let selected = pods.list(namespace: budget.namespace).filter { selector?.matches($0.labels) ?? false }
        if selected.isEmpty { recorder.record(budget, reason: "NoPods", message: "No matching pods found") }
        let plan = DisruptionPlan(budget: budget, pods: selected, now: .now, scale: scale)
        if plan.status != budget.status {
            var written = budget
            written.status = plan.status
            // Never over an eviction that has been charged meanwhile: that is a conflict.
            _ = try await ignoringNotFound { try await client.updateStatus(.podDisruptionBudgets, written) }
        }
        return plan.recheck.map { .after(.seconds($0)) }
    }

    /// Nil where there is none: such a budget selects nothing. An empty one selects all pods of the namespace.
    private static func selector(of budget: Object) -> LabelSelector? {
        budget.spec["selector"].isNull ? nil : LabelSelector(budget.spec["selector"])
    }

    /// A ReplicaSet's number is that of its Deployment, whose rollout changes the ReplicaSet's own.
    private func scale(of pod: Object) -> DisruptionPlan.Scale? {
        guard let owner = pod.controller.flatMap({ owner($0, namespace: pod.namespace) }) else { return nil }
        let top = owner.controller.flatMap { self.owner($0, namespace: pod.namespace) } ?? owner
        return DisruptionPlan.Scale(uid: top.uid, replicas: top.replicas)
    }

    private func owner(_ reference: OwnerReference, namespace: String) -> Object? {
        let informer = owners.first { $0.type.kind == reference.kind && $0.type.apiVersion == reference.apiVersion }
        guard let owner = informer?.get(namespace: namespace, reference.name), owner.uid == reference.uid else {
            return nil
        }
        return owner
    }
}
