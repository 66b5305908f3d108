import KubernetesModel

/// The status of a Deployment, as `kubectl rollout status` and `kubectl wait` read it.
enum DeploymentStatus {
    /// The counts alone.
    static func counts(of deployment: Object, current: Object?, all: [Object]) -> JSON {
        func sum(_ field: String) -> Int { all.reduce(0) { $0 + ($1.status[field].int ?? 0) } }
        let available = sum("availableReplicas")
        var counts: JSON = ["observedGeneration": JSON(deployment.generation)]
        counts.setCount("replicas", sum("replicas"))
        counts.setCount("updatedReplicas", current?.statusReplicas ?? 0)
        counts.setCount("readyReplicas", sum("readyReplicas"))
        counts.setCount("availableReplicas", available)
        counts.setCount("unavailableReplicas", max(0, all.reduce(0) { $0 + $1.replicas } - available))
        counts["collisionCount"] = deployment.status["collisionCount"]
        return counts
    }

    /// Brings the counts and the condition `Available` up to date.
    static func fill(_ status: inout JSON, of deployment: Object, current: Object?, all: [Object], now: Timestamp) {
        let conditions = status.conditions
        status = counts(of: deployment, current: current, all: all)
        status.conditions = conditions
        let isAvailable =
            (status["availableReplicas"].int ?? 0) >= deployment.replicas - deployment.maxUnavailable
        let condition =
            isAvailable
            ? Condition(
                "Available", true, reason: "MinimumReplicasAvailable",
                message: "Deployment has minimum availability.")
            : Condition(
                "Available", false, reason: "MinimumReplicasUnavailable",
                message: "Deployment does not have minimum availability.")
        setCondition(&status, condition, now: now)
    }

    /// Brings the conditions `Progressing` and `ReplicaFailure` up to date, after `fill`.
    ///
    /// - Returns: seconds until the next reconciliation, where nothing changes before.
    static func noteProgress(
        _ status: inout JSON, of deployment: Object, current: Object?, all: [Object], now: Timestamp
    ) -> Double? {
        noteFailures(&status, current: current, all: all, now: now)
        guard let deadline = deployment.progressDeadline else {
            status.conditions.remove("Progressing")
            return nil
        }
        let before = status.conditions["Progressing"]
        let wasComplete =
            before?.reason == "NewReplicaSetAvailable" && status["replicas"] == status["updatedReplicas"]
        let isComplete = DeploymentPlan.isComplete(status, deployment)
        let subject = current.map { "ReplicaSet \"\($0.name)\"" } ?? "Deployment \"\(deployment.name)\""
        if !wasComplete {
            func progressing(_ isTrue: Bool, _ reason: String, _ message: String) -> Condition {
                Condition("Progressing", isTrue, reason: reason, message: "\(subject) \(message)")
            }
            if isComplete {
                let condition = progressing(true, "NewReplicaSetAvailable", "has successfully progressed.")
                setCondition(&status, condition, now: now)
            } else if isProgressing(from: deployment.status, to: status) {
                // Progress is a new condition each time: the deadline counts from its update time.
                setCondition(&status, progressing(true, "ReplicaSetUpdated", "is progressing."), now: now, again: true)
            } else if isTimedOut(before, deadline: deadline, now: now) {
                let condition = progressing(false, "ProgressDeadlineExceeded", "has timed out progressing.")
                setCondition(&status, condition, now: now)
            }
        }
        let after = status.conditions["Progressing"]
        guard !isComplete, after?.reason != "ProgressDeadlineExceeded", let updated = after?.lastUpdateTime
        else { return nil }
        // Times are in whole seconds, so the deadline has passed for certain only a second later.
        return max(1, Double(deadline) - now.since(updated) + 1)
    }

    private static func isProgressing(from old: JSON, to new: JSON) -> Bool {
        func count(_ status: JSON, _ field: String) -> Int { status[field].int ?? 0 }
        func outdated(_ status: JSON) -> Int { count(status, "replicas") - count(status, "updatedReplicas") }
        return count(new, "updatedReplicas") > count(old, "updatedReplicas") || outdated(new) < outdated(old)
            || count(new, "readyReplicas") > count(old, "readyReplicas")
            || count(new, "availableReplicas") > count(old, "availableReplicas")
    }

    private static func isTimedOut(_ condition: Condition?, deadline: Int, now: Timestamp) -> Bool {
        switch condition?.reason {
        case nil, "NewReplicaSetAvailable": return false
        case "ProgressDeadlineExceeded": return true
        default:
            guard let updated = condition?.lastUpdateTime else { return false }
            return now.since(updated) > Double(deadline)
        }
    }

    private static func noteFailures(_ status: inout JSON, current: Object?, all: [Object], now: Timestamp) {
        let sets = (current.map { [$0] } ?? []) + all
        guard let failure = sets.lazy.compactMap({ $0.condition("ReplicaFailure") }).first else {
            status.conditions.remove("ReplicaFailure")
            return
        }
        let condition = Condition(
            "ReplicaFailure", status: failure.status, reason: failure.reason, message: failure.message)
        setCondition(&status, condition, now: now)
    }

    /// Sets a condition as the last of all; one with the same status and reason stays as it is, unless set `again`.
    static func setCondition(_ status: inout JSON, _ condition: Condition, now: Timestamp, again: Bool = false) {
        let before = status.conditions[condition.type]
        if let before, before.status == condition.status, before.reason == condition.reason, !again { return }
        var condition = condition
        condition.lastUpdateTime = now
        condition.lastTransitionTime = before?.status == condition.status ? before?.lastTransitionTime : now
        var conditions = status.conditions
        conditions.remove(condition.type)
        conditions.set(condition, now: now)
        status.conditions = conditions
    }
}
