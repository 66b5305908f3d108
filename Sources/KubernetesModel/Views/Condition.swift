/// One of `status.conditions`, by name of its fields.
public struct Condition: Sendable, Hashable {
    public internal(set) var json: JSON

    public init(_ json: JSON) { self.json = json }

    /// - Parameter status: `True`, `False` or `Unknown`.
    public init(_ type: String, status: String, reason: String = "", message: String = "") {
        json = ["type": .string(type), "status": .string(status)]
        self.reason = reason
        self.message = message
    }

    public init(
        _ type: String, _ isTrue: Bool, reason: String = "", message: String = "", observedGeneration: Int? = nil
    ) {
        self.init(type, status: isTrue ? "True" : "False", reason: reason, message: message)
        self.observedGeneration = observedGeneration
    }

    public var type: String { json["type"].string ?? "" }
    public var status: String { json["status"].string ?? "Unknown" }
    public var isTrue: Bool { json["status"].string == "True" }

    /// A word that programs act on; "" for none.
    public var reason: String {
        get { json["reason"].string ?? "" }
        set { json["reason"] = newValue.isEmpty ? .null : .string(newValue) }
    }
    public var message: String {
        get { json["message"].string ?? "" }
        set { json["message"] = newValue.isEmpty ? .null : .string(newValue) }
    }
    public var observedGeneration: Int? {
        get { json["observedGeneration"].int }
        set { json["observedGeneration"] = newValue.map { JSON($0) } ?? .null }
    }

    /// When `status` last changed.
    public var lastTransitionTime: Timestamp? {
        get { time("lastTransitionTime") }
        set { setTime("lastTransitionTime", newValue) }
    }
    public var lastUpdateTime: Timestamp? {
        get { time("lastUpdateTime") }
        set { setTime("lastUpdateTime", newValue) }
    }
    public var lastHeartbeatTime: Timestamp? {
        get { time("lastHeartbeatTime") }
        set { setTime("lastHeartbeatTime", newValue) }
    }

    /// For a patch: an explicit null takes away the reason or message that the API still has from before.
    public var patch: JSON {
        guard case .object(var fields) = json else { return json }
        for field in ["reason", "message"] where fields[field] == nil { fields[field] = .null }
        return .object(fields)
    }

    /// The rule of `lastTransitionTime`: it stays while `status` does.
    public mutating func keepTransitionTime(of previous: Condition?) {
        guard let previous, previous.json["status"] == json["status"] else { return }
        let time = previous.json["lastTransitionTime"]
        if !time.isNull { json["lastTransitionTime"] = time }
    }

    private func time(_ field: String) -> Timestamp? { json[field].string.flatMap(Timestamp.init) }
    private mutating func setTime(_ field: String, _ time: Timestamp?) {
        json[field] = time.map { .string($0.description) } ?? .null
    }
}

/// `status.conditions`: at most one of each type, in the order in which they first came.
public struct Conditions: Sendable, Hashable {
    private var items: [JSON]

    /// - Parameter list: the value of the field; anything but a list counts as an empty one.
    public init(_ list: JSON = .null) { items = list.items }

    /// The value of the field, which is absent where there is no condition.
    public var json: JSON { items.isEmpty ? .null : .array(items) }
    public var all: [Condition] { items.map(Condition.init) }

    public subscript(type: String) -> Condition? {
        items.first { $0["type"].string == type }.map(Condition.init)
    }

    public func isTrue(_ type: String) -> Bool { self[type]?.isTrue ?? false }

    /// Sets the condition of that type. `lastTransitionTime` moves only when `status` does; fields that the present
    /// condition has and the new one does not name stay, but for `reason` and `message`.
    ///
    /// - Parameter now: the transition time of a condition that names none.
    /// - Returns: whether anything changed.
    @discardableResult
    public mutating func set(_ condition: Condition, now: Timestamp = .now) -> Bool {
        let index = items.firstIndex { $0["type"].string == condition.type }
        var result = index.map { Condition(items[$0]) } ?? Condition(["type": .string(condition.type)])
        var condition = condition
        if condition.json["lastTransitionTime"].isNull { condition.lastTransitionTime = now }
        condition.keepTransitionTime(of: result)
        result.reason = condition.reason
        result.message = condition.message
        // An explicit null stays one: the API shows the fields of some types that have no value.
        result.json = .object((result.json.object ?? [:]).merging(condition.json.object ?? [:]) { $1 })
        if let index {
            guard items[index] != result.json else { return false }
            items[index] = result.json
        } else {
            items.append(result.json)
        }
        return true
    }

    public mutating func remove(_ type: String) { items.removeAll { $0["type"].string == type } }
}

extension JSON {
    /// The conditions of an object's `status`.
    public var conditions: Conditions {
        get { Conditions(self["conditions"]) }
        set { self["conditions"] = newValue.json }
    }
}

extension Object {
    public var conditions: [Condition] { status.conditions.all }
    public func condition(_ type: String) -> Condition? { status.conditions[type] }
    public func isConditionTrue(_ type: String) -> Bool { status.conditions.isTrue(type) }

    /// See `Conditions.set`.
    @discardableResult
    public mutating func setCondition(_ condition: Condition, now: Timestamp = .now) -> Bool {
        var conditions = status.conditions
        guard conditions.set(condition, now: now) else { return false }
        status.conditions = conditions
        return true
    }
}
