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
        let conditions = status["conditions"]
        status = counts(of: deployment, current: current, all: all)
        status["conditions"] = conditions
        if (status["availableReplicas"].int ?? 0) >= deployment.replicas - deployment.maxUnavailable {
            setCondition(
                &status, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.",
                now: now)
        } else {
            setCondition(
                &status, "Available", "False", "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.", now: now)
        }
    }

    /// Brings the conditions `Progressing` and `ReplicaFailure` up to date, after `fill`.
    ///
    /// - Returns: seconds until the rollout has to be looked at again though nothing changes.
    static func noteProgress(
        _ status: inout JSON, of deployment: Object, current: Object?, all: [Object], now: Timestamp
    ) -> Double? {
        noteFailures(&status, current: current, all: all, now: now)
        guard let deadline = deployment.progressDeadline else {
            removeCondition(&status, "Progressing")
            return nil
        }
        let before = status["conditions"].condition("Progressing")
        let wasComplete =
            before["reason"].string == "NewReplicaSetAvailable" && status["replicas"] == status["updatedReplicas"]
        let isComplete = DeploymentPlan.isComplete(status, deployment)
        let subject = current.map { "ReplicaSet \"\($0.name)\"" } ?? "Deployment \"\(deployment.name)\""
        if !wasComplete {
            if isComplete {
                setCondition(
                    &status, "Progressing", "True", "NewReplicaSetAvailable", "\(subject) has successfully progressed.",
                    now: now)
            } else if isProgressing(from: deployment.status, to: status) {
                // Progress is a new condition each time: its update time is what the deadline counts from.
                removeCondition(&status, "Progressing")
                setCondition(
                    &status, "Progressing", "True", "ReplicaSetUpdated", "\(subject) is progressing.", now: now,
                    since: before["status"].string == "True" ? before["lastTransitionTime"].string : nil)
            } else if isTimedOut(before, deadline: deadline, now: now) {
                setCondition(
                    &status, "Progressing", "False", "ProgressDeadlineExceeded",
                    "\(subject) has timed out progressing.", now: now)
            }
        }
        let after = status["conditions"].condition("Progressing")
        guard !isComplete, after["reason"].string != "ProgressDeadlineExceeded",
            let updated = after["lastUpdateTime"].string.flatMap(Timestamp.init)
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

    private static func isTimedOut(_ condition: JSON, deadline: Int, now: Timestamp) -> Bool {
        switch condition["reason"].string {
        case nil, "NewReplicaSetAvailable": return false
        case "ProgressDeadlineExceeded": return true
        default:
            guard let updated = condition["lastUpdateTime"].string.flatMap(Timestamp.init) else { return false }
            return now.since(updated) > Double(deadline)
        }
    }

    private static func noteFailures(_ status: inout JSON, current: Object?, all: [Object], now: Timestamp) {
        let sets = (current.map { [$0] } ?? []) + all
        let failure = sets.lazy.map { $0.status["conditions"].condition("ReplicaFailure") }.first { !$0.isNull }
        guard let failure else {
            removeCondition(&status, "ReplicaFailure")
            return
        }
        setCondition(
            &status, "ReplicaFailure", failure["status"].string ?? "True", failure["reason"].string ?? "",
            failure["message"].string ?? "", now: now)
    }

    /// Sets a condition; one with the same status and reason stays as it is.
    static func setCondition(
        _ status: inout JSON, _ type: String, _ value: String, _ reason: String, _ message: String, now: Timestamp,
        since: String? = nil
    ) {
        let before = status["conditions"].condition(type)
        if before["status"].string == value, before["reason"].string == reason { return }
        let kept = before["status"].string == value ? before["lastTransitionTime"].string : nil
        let condition: JSON = [
            "type": .string(type), "status": .string(value), "reason": .string(reason), "message": .string(message),
            "lastUpdateTime": .string(now.description),
            "lastTransitionTime": .string(since ?? kept ?? now.description),
        ]
        removeCondition(&status, type)
        status["conditions"].append(condition)
    }

    static func removeCondition(_ status: inout JSON, _ type: String) {
        let kept = status["conditions"].items.filter { $0["type"].string != type }
        status["conditions"] = kept.isEmpty ? .null : .array(kept)
    }
}
