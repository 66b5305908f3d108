/// One field's fault: where, of which sort, which value, why. Its text is Kubernetes' own.
public struct FieldError: Sendable, Hashable {
    /// The sorts of fault, by the reason that a `Status` cause carries, with the words that messages use.
    public enum Kind: String, Sendable {
        case required = "FieldValueRequired"
        case invalid = "FieldValueInvalid"
        case notSupported = "FieldValueNotSupported"
        case duplicate = "FieldValueDuplicate"
        case forbidden = "FieldValueForbidden"
        case notFound = "FieldValueNotFound"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case typeInvalid = "FieldValueTypeInvalid"

        public var words: String {
            switch self {
            case .required: "Required value"
            case .invalid, .typeInvalid: "Invalid value"
            case .notSupported: "Unsupported value"
            case .duplicate: "Duplicate value"
            case .forbidden: "Forbidden"
            case .notFound: "Not found"
            case .tooLong: "Too long"
            case .tooMany: "Too many"
            }
        }
    }

    public let kind: Kind
    /// `spec.template.spec.containers[0].name`
    public let path: String
    public let value: JSON
    public let detail: String

    public init(_ kind: Kind, _ path: String, value: JSON = .null, detail: String = "") {
        self.kind = kind
        self.path = path
        self.value = value
        self.detail = detail
    }

    /// An unsupported value, with those that are.
    public static func notSupported(_ path: String, value: JSON, supported: [String]) -> FieldError {
        let quoted = supported.map { "\"\($0)\"" }.joined(separator: ", ")
        return FieldError(.notSupported, path, value: value, detail: "supported values: \(quoted)")
    }

    /// The value as Kubernetes 1.33 prints it: lists of names, labels and selectors, the composite values that users
    /// meet in messages, in Go's notation, all else as JSON.
    private var valueText: String {
        func map(_ json: JSON) -> String {
            let members = json.stringMap.sorted { $0.key < $1.key }.map {
                "\(JSON.string($0.key)):\(JSON.string($0.value))"
            }
            return "map[string]string" + (json.isNull ? "(nil)" : "{\(members.joined(separator: ", "))}")
        }
        switch value {
        case .string: return value.description
        case .array(let elements) where !elements.isEmpty && elements.allSatisfy({ $0.string != nil }):
            return "[]string{\(elements.map(\.description).joined(separator: ", "))}"
        default: break
        }
        switch path.split(separator: ".").last {
        case "labels", "matchLabels", "nodeSelector": return map(value)
        case "selector":
            guard value["matchLabels"].object != nil || value["matchExpressions"].array != nil else {
                return map(value)
            }
            let requirements = value["matchExpressions"].items.map { requirement in
                let values = requirement["values"].items.map(\.description).joined(separator: ", ")
                return "v1.LabelSelectorRequirement{Key:\(requirement["key"]), Operator:\(requirement["operator"]), "
                    + "Values:[]string\(requirement["values"].isNull ? "(nil)" : "{\(values)}")}"
            }
            let list = requirements.isEmpty ? "(nil)" : "{\(requirements.joined(separator: ", "))}"
            return "v1.LabelSelector{MatchLabels:\(map(value["matchLabels"])), "
                + "MatchExpressions:[]v1.LabelSelectorRequirement\(list)}"
        default: return value.description
        }
    }

    /// The message without the path, as in a cause.
    public var message: String {
        switch kind {
        case .required, .forbidden, .tooLong: detail.isEmpty ? kind.words : "\(kind.words): \(detail)"
        default: detail.isEmpty ? "\(kind.words): \(valueText)" : "\(kind.words): \(valueText): \(detail)"
        }
    }
}

/// A failed request, as the API reports it (`meta/v1 Status`).
public struct Status: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Cause: Sendable, Hashable {
        public let reason: String
        public let message: String
        public let field: String

        public init(reason: String, message: String, field: String = "") {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// The HTTP status.
    public var code: Int
    /// A word that programs act on, such as `NotFound`.
    public var reason: String
    public var message: String
    public var name: String?
    public var group: String?
    public var kind: String?
    public var uid: String?
    public var causes: [Cause]
    public var retryAfterSeconds: Int?

    public init(
        code: Int, reason: String, message: String, name: String? = nil, group: String? = nil, kind: String? = nil,
        uid: String? = nil, causes: [Cause] = [], retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.name = name
        self.group = group
        self.kind = kind
        self.uid = uid
        self.causes = causes
        self.retryAfterSeconds = retryAfterSeconds
    }

    public var description: String { message }

    public var json: JSON {
        var details: [String: JSON] = [:]
        if let name { details["name"] = .string(name) }
        if let group, !group.isEmpty { details["group"] = .string(group) }
        if let kind { details["kind"] = .string(kind) }
        if let uid { details["uid"] = .string(uid) }
        if let retryAfterSeconds { details["retryAfterSeconds"] = JSON(retryAfterSeconds) }
        if !causes.isEmpty {
            details["causes"] = .array(
                causes.map { cause in
                    var json: JSON = ["reason": .string(cause.reason), "message": .string(cause.message)]
                    if !cause.field.isEmpty { json["field"] = .string(cause.field) }
                    return json
                })
        }
        var json: JSON = [
            "apiVersion": "v1", "kind": "Status", "metadata": [:], "status": "Failure", "message": .string(message),
            "reason": .string(reason), "code": JSON(code),
        ]
        // Clients show the message of an invalid request only where there are details, be they empty.
        if !details.isEmpty || reason == "Invalid" { json["details"] = .object(details) }
        return json
    }

    /// Reads a `Status` object; nil for any other JSON.
    public init?(_ json: JSON) {
        guard json["kind"].string == "Status" else { return nil }
        let details = json["details"]
        self.init(
            code: json["code"].int ?? 500, reason: json["reason"].string ?? "", message: json["message"].string ?? "",
            name: details["name"].string, group: details["group"].string, kind: details["kind"].string,
            uid: details["uid"].string,
            causes: details["causes"].items.map {
                Cause(
                    reason: $0["reason"].string ?? "", message: $0["message"].string ?? "",
                    field: $0["field"].string ?? "")
            },
            retryAfterSeconds: details["retryAfterSeconds"].int)
    }
}

extension Status {
    private static func of(
        _ code: Int, _ reason: String, _ type: ResourceType, _ name: String, _ message: String
    ) -> Status {
        Status(code: code, reason: reason, message: message, name: name, group: type.group, kind: type.plural)
    }

    public static func notFound(_ type: ResourceType, _ name: String) -> Status {
        of(404, "NotFound", type, name, "\(type.groupResource) \"\(name)\" not found")
    }
    public static func alreadyExists(_ type: ResourceType, _ name: String) -> Status {
        of(409, "AlreadyExists", type, name, "\(type.groupResource) \"\(name)\" already exists")
    }
    public static func conflict(_ type: ResourceType, _ name: String, _ why: String? = nil) -> Status {
        let detail =
            why
            ?? "the object has been modified; please apply your changes to the latest version and try again"
        return of(
            409, "Conflict", type, name, "Operation cannot be fulfilled on \(type.groupResource) \"\(name)\": \(detail)"
        )
    }
    public static func forbidden(_ type: ResourceType, _ name: String, _ why: String) -> Status {
        of(403, "Forbidden", type, name, "\(type.groupResource) \"\(name)\" is forbidden: \(why)")
    }
    /// A rejected object, with each of its faults: `Deployment.apps "web" is invalid: spec.x: Required value`.
    public static func invalid(_ type: ResourceType, _ name: String, _ errors: [FieldError]) -> Status {
        let texts = errors.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }
        let list = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
        let kind = type.group.isEmpty ? type.kind : "\(type.kind).\(type.group)"
        return Status(
            code: 422, reason: "Invalid", message: "\(kind) \"\(name)\" is invalid: \(list)", name: name,
            group: type.group, kind: type.kind,
            causes: errors.map { Cause(reason: $0.kind.rawValue, message: $0.message, field: $0.path) })
    }
    public static func badRequest(_ message: String) -> Status {
        Status(code: 400, reason: "BadRequest", message: message)
    }
    public static func unauthorized() -> Status {
        Status(code: 401, reason: "Unauthorized", message: "Unauthorized")
    }
    public static func methodNotSupported(_ type: ResourceType, _ verb: String) -> Status {
        Status(
            code: 405, reason: "MethodNotAllowed",
            message: "\(verb) is not supported on resources of kind \"\(type.groupResource)\"",
            group: type.group, kind: type.plural)
    }
    public static func unsupportedMediaType(_ message: String) -> Status {
        Status(code: 415, reason: "UnsupportedMediaType", message: message)
    }
    /// The requested revision is compacted or the continue token is stale; the client must list anew.
    public static func expired(_ message: String) -> Status {
        Status(code: 410, reason: "Expired", message: message)
    }
    public static func internalError(_ message: String) -> Status {
        Status(
            code: 500, reason: "InternalError", message: "Internal error occurred: \(message)",
            causes: [Cause(reason: "", message: message)])
    }
    public static func serviceUnavailable(_ message: String) -> Status {
        Status(code: 503, reason: "ServiceUnavailable", message: message)
    }
    /// No such path.
    public static func pathNotFound() -> Status {
        Status(code: 404, reason: "NotFound", message: "the server could not find the requested resource")
    }

    public var isNotFound: Bool { code == 404 }
    public var isConflict: Bool { reason == "Conflict" }
    public var isAlreadyExists: Bool { reason == "AlreadyExists" }
    public var isExpired: Bool { code == 410 }
}
