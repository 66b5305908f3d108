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
    public var currentReplicas: Int { object.status["replicas"].int ?? 0 }
    public var readyReplicas: Int { object.status["readyReplicas"].int ?? 0 }
    public var availableReplicas: Int { object.status["availableReplicas"].int ?? 0 }
    public var updatedReplicas: Int { object.status["updatedReplicas"].int ?? 0 }
}

/// A Deployment, by name of its fields.
public struct Deployment: ScaledWorkload {
    public var object: Object

    public init(_ object: Object) { self.object = object }
}

/// A ReplicaSet, by name of its fields.
public struct ReplicaSet: ScaledWorkload {
    public var object: Object

    public init(_ object: Object) { self.object = object }
}

/// A StatefulSet, by name of its fields.
public struct StatefulSet: ScaledWorkload {
    public var object: Object

    public init(_ object: Object) { self.object = object }
}
