import APIClient
import KubernetesModel

/// `pods/eviction`: a deletion that the disruption budgets of the pod's application must allow.
struct Eviction: Sendable {
    let registry: Registry

    func evict(
        _ eviction: Object, _ resource: ResourceRequest, _ name: String, _ context: RequestContext
    ) async throws(Status) {
        let pod = try registry.stored(.pods, namespace: resource.namespace, name: name).object
        let phase = pod.status["phase"].string
        let counts = phase == "Running" && !pod.isBeingDeleted
        if counts { try await takeFromBudget(pod, context) }
        let options = try RequestOptions.deletion(eviction["deleteOptions"])
        _ = try await registry.delete(resource, name: name, options, context)
    }

    /// Takes one from `status.disruptionsAllowed` of the budget that selects the pod.
    private func takeFromBudget(_ pod: Object, _ context: RequestContext) async throws(Status) {
        let type = ResourceType.podDisruptionBudgets
        let prefix = type.storePrefix(namespace: pod.namespace)
        let budgets = registry.store.list(prefix: prefix).map(\.object).filter { budget in
            !budget.spec["selector"].isNull && LabelSelector(budget.spec["selector"]).matches(pod.labels)
        }
        guard let budget = budgets.first else { return }
        guard budgets.count == 1 else {
            throw .internalError(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        }
        guard let info = registry.catalogue.resource(type) else { return }
        let request = ResourceRequest(info, namespace: budget.namespace, name: budget.name)
        _ = try await registry.update(request, name: budget.name, part: .all, context) { current throws(Status) in
            let allowed = current.status["disruptionsAllowed"].int ?? 0
            guard allowed > 0 else { throw Self.refusal(current) }
            var changed = current
            changed.status["disruptionsAllowed"] = JSON(allowed - 1)
            changed.status["disruptedPods"][pod.name] = .string(Timestamp.now.description)
            return changed
        }
    }

    private static func refusal(_ budget: Object) -> Status {
        let needed = budget.status["desiredHealthy"].int ?? 0
        let healthy = budget.status["currentHealthy"].int ?? 0
        return Status(
            code: 429, reason: "TooManyRequests",
            message: "Cannot evict pod as it would violate the pod's disruption budget.",
            causes: [
                Status.Cause(
                    reason: "DisruptionBudget",
                    message: "The disruption budget \(budget.name) needs \(needed) healthy pods and has \(healthy) "
                        + "currently")
            ])
    }
}
