/// What Deployments, ReplicaSets and StatefulSets have in common.
public protocol ScaledWorkload: Sendable, Hashable {
    var object: Object { get set }
    init(_ object: Object)
}

extension ScaledWorkload {
    public var spec: JSON { object.spec }
    public var replicas: Int { spec["replicas"].int ?? 1 }
    public var selector: LabelSelector { LabelSelector(spec["selector"]) }
    public var template: JSON { spec["template"] }
    public var minReadySeconds: Int { spec["minReadySeconds"].int ?? 0 }
    public var observedGeneration: Int { object.status["observedGeneration"].int ?? 0 }
    public var currentReplicas: Int { object.status["replicas"].int ?? 0 }
    public var readyReplicas: Int { object.status["readyReplicas"].int ?? 0 }
    public var availableReplicas: Int { object.status["availableReplicas"].int ?? 0 }
    public var updatedReplicas: Int { object.status["updatedReplicas"].int ?? 0 }
}

/// A Deployment, by name of its fields.
public struct Deployment: ScaledWorkload {
    public var object: Object

    public init(_ object: Object) { self.object = object }

    public static let revisionAnnotation = "deployment.kubernetes.io/revision"
    public static let templateHashLabel = "pod-template-hash"

    public var isPaused: Bool { spec["paused"].bool ?? false }
    public var isRecreate: Bool { spec["strategy"]["type"].string == "Recreate" }
    public var revisionHistoryLimit: Int { spec["revisionHistoryLimit"].int ?? 10 }
    public var progressDeadlineSeconds: Int? { spec["progressDeadlineSeconds"].int }

    /// How many pods a rolling update may have above, and lack below, `replicas`. Where both round to none, one pod
    /// may lack, or no update would ever move.
    public var rollingUpdateBounds: (maxSurge: Int, maxUnavailable: Int) {
        guard !isRecreate else { return (0, replicas) }
        let rolling = spec["strategy"]["rollingUpdate"]
        let surge = IntOrString(rolling["maxSurge"]) ?? .string("25%")
        let unavailable = IntOrString(rolling["maxUnavailable"]) ?? .string("25%")
        let maxSurge = surge.scaled(total: replicas, roundUp: true) ?? 0
        let maxUnavailable = unavailable.scaled(total: replicas, roundUp: false) ?? 0
        if maxSurge == 0, maxUnavailable == 0 { return (0, 1) }
        return (maxSurge, min(maxUnavailable, replicas))
    }
}

/// A ReplicaSet, by name of its fields.
public struct ReplicaSet: ScaledWorkload {
    public var object: Object

    public init(_ object: Object) { self.object = object }

    public var revision: Int { object.annotations[Deployment.revisionAnnotation].flatMap { Int($0) } ?? 0 }
}

/// A StatefulSet, by name of its fields.
public struct StatefulSet: ScaledWorkload {
    public var object: Object

    public init(_ object: Object) { self.object = object }
}
