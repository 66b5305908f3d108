import KubernetesModel

/// What a PodDisruptionBudget's status says of the pods that it selects, as upstream's disruption controller counts.
struct DisruptionPlan {
    /// An owner of pods, and how many it is to have.
    struct Scale: Hashable {
        let uid: String
        let replicas: Int
    }

    /// How long an evicted pod counts as gone although it is not being deleted yet.
    static let deletionTimeout = 120.0

    let status: JSON
    /// Seconds until an evicted pod that is still there counts again.
    let recheck: Double?

    /// - Parameters:
    ///   - pods: those that the budget selects.
    ///   - scale: the owner of a pod that has a controller; nil where that has no number of replicas.
    init(budget: Object, pods: [Object], now: Timestamp, scale: (Object) -> Scale?) {
        var status = budget.status
        status["observedGeneration"] = JSON(budget.generation)
        let disrupted = Self.disrupted(budget, pods, now)
        recheck = disrupted.values.min()
        let expectation: Expectation
        do throws(NoScale) {
            expectation = try Expectation(budget, pods, scale)
        } catch {
            // Nothing is allowed of which nothing is known.
            status["disruptionsAllowed"] = 0
            status.conditions.set(
                Self.condition(budget, isAllowed: false, reason: "SyncFailed", message: error.message), now: now)
            self.status = status
            return
        }
        let healthy = pods.count { !$0.isBeingDeleted && disrupted[$0.name] == nil && $0.isReadyPod }
        // A budget without pods is in a safe state when the first of them comes.
        let allowed = expectation.pods > 0 ? max(0, healthy - expectation.healthy) : 0
        status["currentHealthy"] = JSON(healthy)
        status["desiredHealthy"] = JSON(expectation.healthy)
        status["expectedPods"] = JSON(expectation.pods)
        status["disruptionsAllowed"] = JSON(allowed)
        status["disruptedPods"] =
            disrupted.isEmpty
            ? .null : .object((status["disruptedPods"].object ?? [:]).filter { disrupted[$0.key] != nil })
        status.conditions.set(
            Self.condition(
                budget, isAllowed: allowed > 0, reason: allowed > 0 ? "SufficientPods" : "InsufficientPods"), now: now)
        self.status = status
    }

    /// A `meta/v1 Condition`, which has a message, be it an empty one.
    private static func condition(
        _ budget: Object, isAllowed: Bool, reason: String, message: String = ""
    ) -> Condition {
        Condition([
            "type": "DisruptionAllowed", "status": isAllowed ? "True" : "False", "reason": .string(reason),
            "message": .string(message), "observedGeneration": JSON(budget.generation),
        ])
    }

    /// The pods that were evicted and are not being deleted yet, and for how many more seconds they count as gone.
    private static func disrupted(_ budget: Object, _ pods: [Object], _ now: Timestamp) -> [String: Double] {
        var disrupted: [String: Double] = [:]
        for pod in pods where !pod.isBeingDeleted {
            guard let moment = budget.status["disruptedPods"][pod.name].string.flatMap({ Timestamp($0) }) else {
                continue
            }
            let left = deletionTimeout - now.since(moment)
            if left > 0 { disrupted[pod.name] = left }
        }
        return disrupted
    }

    private struct NoScale: Error {
        let message: String
    }

    private struct Expectation {
        /// How many pods there are to be.
        let pods: Int
        /// How many of them are to be healthy.
        let healthy: Int

        init(_ budget: Object, _ pods: [Object], _ scale: (Object) -> Scale?) throws(NoScale) {
            let spec = budget.spec
            if let unavailable = IntOrString(spec["maxUnavailable"]) {
                self.pods = try Self.total(pods, scale)
                healthy = max(0, self.pods - (unavailable.scaled(total: self.pods, roundUp: true) ?? 0))
            } else if case .int(let count) = IntOrString(spec["minAvailable"]) {
                self.pods = pods.count
                healthy = count
            } else if let share = IntOrString(spec["minAvailable"]) {
                self.pods = try Self.total(pods, scale)
                healthy = share.scaled(total: self.pods, roundUp: true) ?? 0
            } else {
                self.pods = 0
                healthy = 0
            }
        }

        /// What the owners of the pods are to have together. Pods without one count for nothing.
        private static func total(_ pods: [Object], _ scale: (Object) -> Scale?) throws(NoScale) -> Int {
            var scales: Set<Scale> = []
            for pod in pods {
                guard let owner = pod.controller else { continue }
                guard let found = scale(pod) else {
                    throw NoScale(
                        message: "found no number of replicas for pod \"\(pod.name)\": a \(owner.kind) has none, "
                            + "so only a whole number as minAvailable can be kept")
                }
                scales.insert(found)
            }
            return scales.reduce(0) { $0 + $1.replicas }
        }
    }
}
