import APIClient
import KubernetesModel

/// `pods/eviction`: a deletion that the disruption budgets of the pod's application must allow.
struct EvictionSubresource: ObjectSubresource {
    let name = "eviction"
    let objects: Objects

    /// How often the eviction of a pod that keeps changing is retried.
    private static let maxAttempts = 5

    func create(_ eviction: Object, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        let resource = request.resource
        let name = request.name
        guard eviction.name == name else { throw .badRequest("name in URL does not match name in Eviction object") }
        // Whatever can refuse the deletion comes before the budget is charged.
        let options = try RequestOptions.deletion(eviction["deleteOptions"])
        var context = request.context
        if options.dryRun { context.dryRun = true }
        var attempts = 0
        while true {
            let pod = try objects.stored(.pods, namespace: resource.namespace, name: name).object
            try options.checkPreconditions(pod, .pods)
            let isAtWork = pod.status["phase"].string == "Running" && !pod.isBeingDeleted
            let budget = isAtWork ? try budget(of: pod) : nil
            var deletion = options
            if let budget {
                if Self.permitsUnready(budget), pod.condition("Ready")?.isTrue != true {
                    // The budget does not count the pod, unless it becomes ready meanwhile: hence the precondition.
                    deletion.resourceVersion = pod.resourceVersion
                } else {
                    try await take(pod, from: budget, context)
                }
            }
            do throws(Status) {
                _ = try await objects.delete(resource, name: name, deletion, isAdmitted: true, context)
                return .success
            } catch {
                // A precondition that the client has not set is no conflict of its own: retry.
                guard error.code == 409, deletion.resourceVersion != options.resourceVersion, let budget else {
                    throw error
                }
                attempts += 1
                guard attempts < Self.maxAttempts else { throw Self.postponement(budget) }
            }
        }
    }

    /// The budget that selects the pod.
    private func budget(of pod: Object) throws(Status) -> Object? {
        let budgets = objects.store.objects(.podDisruptionBudgets, namespace: pod.namespace).filter { budget in
            !budget.spec["selector"].isNull && LabelSelector(budget.spec["selector"]).matches(pod.labels)
        }
        guard budgets.count <= 1 else {
            throw .internalError(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        }
        return budgets.first
    }

    /// Whether unready pods may be evicted without a charge to the budget (`unhealthyPodEvictionPolicy`).
    private static func permitsUnready(_ budget: Object) -> Bool {
        if budget.spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow" { return true }
        let desired = budget.status["desiredHealthy"].int ?? 0
        return desired > 0 && budget.status["currentHealthy"].int ?? 0 >= desired
    }

    /// Charges the pod to the budget's `status.disruptionsAllowed`.
    private func take(_ pod: Object, from budget: Object, _ context: RequestContext) async throws(Status) {
        guard let kind = objects.catalogue.kind(.podDisruptionBudgets) else { return }
        let request = ResourceRequest(kind, namespace: budget.namespace, name: budget.name)
        _ = try await objects.update(request, name: budget.name, part: .all, isAdmitted: true, context) {
            current throws(Status) in
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
        return tooManyRequests(
            "The disruption budget \(budget.name) needs \(needed) healthy pods and has \(healthy) currently")
    }

    private static func postponement(_ budget: Object) -> Status {
        tooManyRequests(
            "The disruption budget \(budget.name) is still being processed by the server.", retryAfterSeconds: 10)
    }

    private static func tooManyRequests(_ cause: String, retryAfterSeconds: Int? = nil) -> Status {
        Status(
            code: 429, reason: "TooManyRequests",
            message: "Cannot evict pod as it would violate the pod's disruption budget.",
            causes: [Status.Cause(reason: "DisruptionBudget", message: cause)], retryAfterSeconds: retryAfterSeconds)
    }
}
