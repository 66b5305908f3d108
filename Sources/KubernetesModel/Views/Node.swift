/// A Node, by name of its fields.
public struct Node: Sendable, Hashable {
    public var object: Object

    public init(_ object: Object) { self.object = object }

    public var isReady: Bool { object.isConditionTrue("Ready") }
    public var isUnschedulable: Bool { object.spec["unschedulable"].bool ?? false }
    public var podCIDR: String? { object.spec["podCIDR"].string }
    public var taints: [Taint] { object.spec["taints"].items.map(Taint.init) }
    public var capacity: ResourceList { object.status["capacity"].resourceList }
    public var allocatable: ResourceList { object.status["allocatable"].resourceList }

    /// The node's address of a sort: `InternalIP`, `ExternalIP`, `Hostname`.
    public func address(_ type: String) -> String? {
        object.status["addresses"].items.first { $0["type"].string == type }?["address"].string
    }
    public var internalIP: String? { address("InternalIP") }
}

/// What keeps pods off a node unless they tolerate it.
public struct Taint: Sendable, Hashable {
    public let key: String
    public let value: String
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    public let effect: String

    public init(key: String, value: String = "", effect: String) {
        self.key = key
        self.value = value
        self.effect = effect
    }

    public init(_ json: JSON) {
        self.init(
            key: json["key"].string ?? "", value: json["value"].string ?? "", effect: json["effect"].string ?? "")
    }

    public var json: JSON {
        var json: JSON = ["key": .string(key), "effect": .string(effect)]
        if !value.isEmpty { json["value"] = .string(value) }
        return json
    }
}

/// One of a pod's `spec.tolerations`.
public struct Toleration: Sendable, Hashable {
    public let json: JSON

    public init(_ json: JSON) { self.json = json }

    public var tolerationSeconds: Int? { json["tolerationSeconds"].int }

    public func tolerates(_ taint: Taint) -> Bool {
        if let effect = json["effect"].string, !effect.isEmpty, effect != taint.effect { return false }
        let key = json["key"].string ?? ""
        if !key.isEmpty, key != taint.key { return false }
        if json["operator"].string == "Exists" { return true }
        return !key.isEmpty && (json["value"].string ?? "") == taint.value
    }
}

extension Pod {
    public var tolerations: [Toleration] { spec["tolerations"].items.map(Toleration.init) }

    public func tolerates(_ taint: Taint) -> Bool { tolerations.contains { $0.tolerates(taint) } }
}
