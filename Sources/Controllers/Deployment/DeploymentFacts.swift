import KubernetesModel

/// What a Deployment's spec says, with its defaults.
extension Object {
    var isPaused: Bool { spec["paused"].bool ?? false }
    var isRecreate: Bool { spec["strategy"]["type"].string == "Recreate" }

    /// `maxSurge` and `maxUnavailable` as pods. Never both 0, or nothing could ever be replaced.
    var rollingLimits: (surge: Int, unavailable: Int) {
        guard !isRecreate else { return (0, 0) }
        let rolling = spec["strategy"]["rollingUpdate"]
        let quarter = IntOrString.string("25%")
        let surge = (IntOrString(rolling["maxSurge"]) ?? quarter).scaled(total: replicas, roundUp: true)
        let unavailable = (IntOrString(rolling["maxUnavailable"]) ?? quarter).scaled(total: replicas, roundUp: false)
        if surge ?? 0 == 0, unavailable ?? 0 == 0 { return (0, 1) }
        return (surge ?? 0, unavailable ?? 0)
    }

    var maxSurge: Int { rollingLimits.surge }
    var maxUnavailable: Int { replicas == 0 ? 0 : min(rollingLimits.unavailable, replicas) }

    /// Seconds without progress after which a rollout counts as failed; nil for never (`Int32.max`).
    var progressDeadline: Int? {
        let seconds = spec["progressDeadlineSeconds"].int ?? 600
        return seconds == Int(Int32.max) ? nil : seconds
    }

    var availableReplicas: Int { status["availableReplicas"].int ?? 0 }
    var statusReplicas: Int { status["replicas"].int ?? 0 }
}

/// Orders of ReplicaSets.
enum ReplicaSetOrder {
    static func older(_ left: Object, _ right: Object) -> Bool {
        let (first, second) = (left.creationTimestamp, right.creationTimestamp)
        if let first, let second, first != second { return first < second }
        return left.name < right.name
    }

    static func larger(newerFirst: Bool) -> (Object, Object) -> Bool {
        { left, right in
            if left.replicas != right.replicas { return left.replicas > right.replicas }
            return newerFirst ? older(right, left) : older(left, right)
        }
    }
}
