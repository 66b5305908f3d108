/// One of `status.conditions`.
public struct Condition: Sendable, Hashable {
    public var type: String
    /// `True`, `False` or `Unknown`.
    public var status: String
    public var reason: String
    public var message: String
    public var lastTransitionTime: Timestamp?
    public var observedGeneration: Int?

    public init(
        _ type: String, _ status: Bool, reason: String = "", message: String = "", observedGeneration: Int? = nil
    ) {
        self.type = type
        self.status = status ? "True" : "False"
        self.reason = reason
        self.message = message
        self.observedGeneration = observedGeneration
    }

    public init(_ json: JSON) {
        type = json["type"].string ?? ""
        status = json["status"].string ?? "Unknown"
        reason = json["reason"].string ?? ""
        message = json["message"].string ?? ""
        lastTransitionTime = json["lastTransitionTime"].string.flatMap(Timestamp.init)
        observedGeneration = json["observedGeneration"].int
    }

    public var isTrue: Bool { status == "True" }
}

extension Object {
    public var conditions: [Condition] { status["conditions"].items.map(Condition.init) }

    public func condition(_ type: String) -> Condition? {
        status["conditions"].items.first { $0["type"].string == type }.map(Condition.init)
    }

    public func isConditionTrue(_ type: String) -> Bool { condition(type)?.isTrue ?? false }

    /// Sets the condition of that type. `lastTransitionTime` moves only when its status does; other fields that the
    /// stored condition has (`lastProbeTime`, `lastUpdateTime`, …) stay.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    public mutating func setCondition(_ condition: Condition, now: Timestamp = .now) -> Bool {
        var conditions = status["conditions"].items
        let index = conditions.firstIndex { $0["type"].string == condition.type }
        var json = index.map { conditions[$0] } ?? ["type": .string(condition.type)]
        let before = json
        if json["status"].string != condition.status || json["lastTransitionTime"].isNull {
            json["lastTransitionTime"] = .string((condition.lastTransitionTime ?? now).description)
        }
        json["status"] = .string(condition.status)
        json["reason"] = condition.reason.isEmpty ? .null : .string(condition.reason)
        json["message"] = condition.message.isEmpty ? .null : .string(condition.message)
        if let generation = condition.observedGeneration { json["observedGeneration"] = JSON(generation) }
        guard json != before else { return false }
        if let index { conditions[index] = json } else { conditions.append(json) }
        status["conditions"] = .array(conditions)
        return true
    }

    /// Takes the condition of that type away.
    public mutating func removeCondition(_ type: String) {
        let kept = status["conditions"].items.filter { $0["type"].string != type }
        status["conditions"] = kept.isEmpty ? .null : .array(kept)
    }
}
