import KubernetesModel

/// Fits a request's JSON to a kind's schema, as the API server's decoder does before anything looks at the values.
///
/// Fields of the wrong type fail the request; fields that the schema does not have are dropped and named; nulls are
/// dropped; quantities take their canonical form.
public struct StructuralDecoding: Sendable {
    /// The object with no more than its schema allows.
    public let object: Object
    /// The paths of the dropped fields, such as `spec.template.spec.containers[0].colour`; no more than `FieldPaths.max`.
    public let unknownFields: [String]
    private let duplicateFields: [String]

    /// - Parameter duplicateFields: what the object's text had more than once.
    /// - Throws: `Status` 400 for a built-in kind, 422 for a custom resource.
    public init(_ json: JSON, as info: ResourceInfo, duplicateFields: [String] = []) throws(Status) {
        guard case .object = json else {
            throw .badRequest(
                "\(info.type.kind) in version \"\(info.type.version)\" cannot be handled as a \(info.type.kind): json: "
                    + "cannot unmarshal \(GoType.name(of: json)) into Go value of type \(info.type.version).\(info.type.kind)"
            )
        }
        var walk = StructuralWalk(info: info)
        let changed = try walk.visit(json, info.schema)
        if !walk.typeErrors.isEmpty {
            let name = json["metadata"]["name"].string ?? ""
            throw .invalid(info.type, name, walk.typeErrors)
        }
        object = Object(changed ?? json)
        unknownFields = walk.unknown.texts.sorted()
        let unknown = Set(unknownFields)
        self.duplicateFields = Array(
            duplicateFields.lazy.filter { !unknown.contains($0) }.prefix(FieldPaths.max - unknown.count))
    }

    /// The warnings for `fieldValidation=Warn`.
    public var warnings: [String] {
        unknownFields.map { "unknown field \"\($0)\"" } + duplicateFields.map { "duplicate field \"\($0)\"" }
    }

    /// The failure for `fieldValidation=Strict`; nil where no field is unknown or duplicate.
    public func strictError(_ info: ResourceInfo) -> Status? {
        guard !warnings.isEmpty else { return nil }
        let list = warnings.joined(separator: ", ")
        return .badRequest(
            "\(info.type.kind) in version \"\(info.type.version)\" cannot be handled as a \(info.type.kind): "
                + "strict decoding error: \(list)")
    }
}

/// The names that Go's decoder gives to types.
private enum GoType {
    static func name(of json: JSON) -> String {
        switch json {
        case .null: "null"
        case .bool: "bool"
        case .integer, .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    static func name(of schema: Schema) -> String {
        switch schema.type {
        case .string: schema.format == "byte" ? "[]uint8" : "string"
        case .integer: schema.format ?? "int64"
        case .number: "float64"
        case .boolean: "bool"
        case .array: "[]" + (schema.items.map(name(of:)) ?? "string")
        case .object:
            if let reference = schema.reference {
                reference.split(separator: ".").suffix(2).joined(separator: ".")
            } else {
                "map[string]" + (schema.additionalProperties.map(name(of:)) ?? "interface {}")
            }
        case .any: "interface {}"
        }
    }
}

private struct StructuralWalk {
    private enum Step {
        case field(String)
        /// A key of a map, which Go's decoder does not name in its messages.
        case key(String)
        case index(Int)
    }

    let info: ResourceInfo
    var unknown = FieldPaths()
    var typeErrors: [FieldError] = []
    private var path: [Step] = []
    /// The definitions that enclose the visited value, for messages.
    private var owners: [String]

    init(info: ResourceInfo) {
        self.info = info
        owners = [info.type.kind]
    }

    private var text: String {
        var text = ""
        for step in path {
            switch step {
            case .field(let name), .key(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    private var fieldPath: String {
        path.compactMap { if case .field(let name) = $0 { name } else { nil } }.joined(separator: ".")
    }

    private func failure(_ why: String) -> Status {
        .badRequest(
            "\(info.type.kind) in version \"\(info.type.version)\" cannot be handled as a \(info.type.kind): \(why)")
    }

    /// A value's type, and a number itself.
    private func described(_ value: JSON) -> String {
        switch value {
        case .integer(let number): "number \(number)"
        case .double(let number): "number \(number)"
        default: GoType.name(of: value)
        }
    }

    private mutating func mismatch(_ value: JSON, _ schema: Schema) throws(Status) {
        if info.isCustom, path.first.map({ if case .field("metadata") = $0 { false } else { true } }) ?? true {
            let found = GoType.name(of: value).replacingNumber(value)
            typeErrors.append(
                FieldError(
                    .typeInvalid, text, value: .string(found),
                    detail: "\(text) in body must be of type \(schema.type.rawValue): \"\(found)\""))
            return
        }
        let found = schema.type == .integer ? described(value) : GoType.name(of: value)
        throw failure(
            "json: cannot unmarshal \(found) into Go struct field \(owners.last ?? "").\(fieldPath) of type "
                + GoType.name(of: schema))
    }

    /// The value as it has to be, nil where it already is.
    mutating func visit(_ value: JSON, _ schema: Schema) throws(Status) -> JSON? {
        if schema.isIntOrString {
            switch value {
            case .string: break
            case .integer(let number) where Int32(exactly: number) != nil: break
            default:
                if info.isCustom {
                    try mismatch(value, schema)
                } else {
                    throw failure("json: cannot unmarshal \(described(value)) into Go value of type int32")
                }
            }
            return nil
        }
        if schema.isQuantity { return try quantity(value) }
        switch schema.type {
        case .any: return schema.properties.isEmpty ? nil : try object(value, schema)
        case .object: return try object(value, schema)
        case .array:
            guard case .array(let elements) = value else {
                try mismatch(value, schema)
                return nil
            }
            return try list(elements, schema)
        case .string:
            guard case .string(let text) = value else {
                try mismatch(value, schema)
                return nil
            }
            if !info.isCustom { try checkFormat(text, schema) }
        case .boolean:
            guard case .bool = value else {
                try mismatch(value, schema)
                return nil
            }
        case .integer:
            try integer(value, schema)
            if case .double = value, let whole = value.int { return JSON(whole) }
        case .number:
            guard value.double != nil else {
                try mismatch(value, schema)
                return nil
            }
        }
        return nil
    }

    private mutating func integer(_ value: JSON, _ schema: Schema) throws(Status) {
        guard let number = value.int else { return try mismatch(value, schema) }
        if schema.format == "int32", Int32(exactly: number) == nil { try mismatch(value, schema) }
    }

    private func quantity(_ value: JSON) throws(Status) -> JSON? {
        guard let quantity = Quantity(value) else { throw failure(Quantity.syntax) }
        let canonical = quantity.json
        if canonical == value { return nil }
        return canonical
    }

    private func checkFormat(_ text: String, _ schema: Schema) throws(Status) {
        switch schema.format {
        case "date-time" where !text.isEmpty && Timestamp(text) == nil:
            throw failure(
                "parsing time \"\(text)\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\(text)\" as \"2006\"")
        case "byte":
            if let offset = Base64.invalidOffset(text) { throw failure("illegal base64 data at input byte \(offset)") }
        default: break
        }
    }

    private mutating func list(_ elements: [JSON], _ schema: Schema) throws(Status) -> JSON? {
        guard let item = schema.items else { return nil }
        var changed: [JSON]?
        for (index, element) in elements.enumerated() {
            if case .null = element, item.type != .any { continue }
            path.append(.index(index))
            if let replacement = try visit(element, item) {
                changed = changed ?? elements; changed?[index] = replacement
            }
            path.removeLast()
        }
        return changed.map(JSON.array)
    }

    private mutating func object(_ value: JSON, _ schema: Schema) throws(Status) -> JSON? {
        guard case .object(let members) = value else {
            try mismatch(value, schema)
            return nil
        }
        let resolved = schema.resolved
        if let reference = schema.reference { owners.append(String(reference.split(separator: ".").last ?? "")) }
        defer { if schema.reference != nil { owners.removeLast() } }
        let isMap = resolved.properties.isEmpty && resolved.additionalProperties != nil
        var changed: [String: JSON]?
        for (name, member) in members {
            guard let field = resolved.properties[name] ?? resolved.additionalProperties else {
                if resolved.preservesUnknownFields { continue }
                path.append(.field(name))
                if !isImplied(name, resolved), !unknown.isFull { unknown.note(text) }
                path.removeLast()
                changed = changed ?? members
                changed?[name] = nil
                continue
            }
            if case .null = member {
                if info.isCustom, field.isNullable || field.preservesUnknownFields { continue }
                changed = changed ?? members
                changed?[name] = isMap && field.type == .string && !field.isQuantity ? "" : nil
                continue
            }
            if isOmitted(member, field, of: resolved, name) {
                changed = changed ?? members
                changed?[name] = nil
                continue
            }
            path.append(isMap ? .key(name) : .field(name))
            if let replacement = try visit(member, field) {
                changed = changed ?? members
                changed?[name] = replacement
            }
            path.removeLast()
        }
        return changed.map(JSON.object)
    }

    /// Empty lists and maps of built-in types are not written out again, unless they are required.
    private func isOmitted(_ value: JSON, _ field: Schema, of owner: Schema, _ name: String) -> Bool {
        guard !info.isCustom || owners.count > 1, owner.properties[name] != nil else { return false }
        switch value {
        case .array(let elements):
            return elements.isEmpty && field.type == .array && !owner.required.contains(name)
        case .object(let members):
            return members.isEmpty && field.reference == nil && field.additionalProperties != nil
                && !owner.required.contains(name)
        default: return false
        }
    }

    /// `apiVersion` and `kind` are no unknown fields of an embedded object.
    private func isImplied(_ name: String, _ schema: Schema) -> Bool {
        (name == "apiVersion" || name == "kind") && (schema.isEmbeddedResource || path.count == 1)
    }
}

extension String {
    /// Validation of custom resources tells whole numbers from others.
    fileprivate func replacingNumber(_ value: JSON) -> String {
        guard self == "number" else { return self == "bool" ? "boolean" : self }
        if case .integer = value { return "integer" }
        return "number"
    }
}
