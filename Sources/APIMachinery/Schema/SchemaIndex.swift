import KubernetesModel

/// The definitions of built-in kinds by name, such as `io.k8s.api.apps.v1.Deployment`.
public struct SchemaIndex: Sendable {
    public let definitions: [String: Schema]

    public subscript(name: String) -> Schema? { definitions[name] }

    public static let builtIn = SchemaIndex(FieldTableReader(fieldTable))

    static let apiVersion = Schema(.string, description: "The group and version of the object's schema.")
    static let kind = Schema(.string, description: "The kind of the object.")
    static let metadata = Schema(
        .object, reference: FieldTableReader.metaPrefix + "ObjectMeta",
        description: "What every object has: name, labels and more.")

    init(_ table: FieldTableReader) {
        var definitions: [String: Schema] = [:]
        definitions.reserveCapacity(600)
        var current: Definition?
        for line in table {
            switch line {
            case .definition(let name, let description):
                if let current { definitions[current.name] = current.schema }
                current = Definition(
                    name: FieldTableReader.definition(name), description: FieldTableReader.text(description))
            case .field(let field): current?.add(field)
            case .atomicDefinition: current?.isAtomic = true
            }
        }
        if let current { definitions[current.name] = current.schema }
        self.definitions = definitions
    }
}

/// Collects one definition's fields.
private struct Definition {
    let name: String
    let description: String
    var isAtomic = false
    private var properties: [String: Schema] = [:]
    private var required: [String] = []

    init(name: String, description: String) {
        self.name = name
        self.description = description
    }

    var schema: Schema {
        Schema(
            .object, description: description, properties: properties, required: required, isAtomic: isAtomic,
            preservesUnknownFields: properties.isEmpty)
    }

    mutating func add(_ field: FieldTableReader.Field) {
        let name = FieldTableReader.text(field.name)
        if field.isRequired { required.append(name) }
        properties[name] = Self.schema(field.type, FieldAttributes(field))
    }

    private static func schema(_ code: FieldTableReader.Bytes, _ field: FieldAttributes) -> Schema {
        func leaf(_ type: Schema.ValueType, format: String? = nil) -> Schema {
            guard !field.isPlain else { return shared(type, format) }
            return Schema(
                type, format: format, description: field.description, enumeration: field.enumeration,
                defaultValue: field.defaultValue, isAtomic: field.isAtomic)
        }
        switch code.first {
        case UInt8(ascii: "s"): return leaf(.string)
        case UInt8(ascii: "b"): return leaf(.boolean)
        case UInt8(ascii: "i"): return leaf(.integer, format: "int32")
        case UInt8(ascii: "l"): return leaf(.integer, format: "int64")
        case UInt8(ascii: "d"): return leaf(.number, format: "double")
        case UInt8(ascii: "y"): return leaf(.string, format: "byte")
        case UInt8(ascii: "t"), UInt8(ascii: "m"):
            return Schema(
                .string, format: "date-time", reference: nil, description: field.description, isNullable: true)
        case UInt8(ascii: "q"): return Schema(.string, description: field.description, isQuantity: true)
        case UInt8(ascii: "x"):
            return Schema(.any, format: "int-or-string", description: field.description, isIntOrString: true)
        case UInt8(ascii: "r"), UInt8(ascii: "f"):
            return Schema(.object, description: field.description, preservesUnknownFields: true)
        case UInt8(ascii: "["):
            var element = FieldAttributes()
            element.enumeration = field.enumeration
            return Schema(
                .array, description: field.description, items: schema(code.dropFirst(), element),
                defaultValue: field.defaultValue, listType: field.listType, patchStrategy: field.patchStrategy,
                patchMergeKey: field.patchMergeKey)
        case UInt8(ascii: "{"):
            return Schema(
                .object, description: field.description,
                additionalProperties: schema(code.dropFirst(), FieldAttributes()), isAtomic: field.isAtomic,
                patchStrategy: field.patchStrategy)
        case UInt8(ascii: ">"):
            return Schema(
                .object, reference: FieldTableReader.definition(code.dropFirst()), description: field.description,
                defaultValue: field.defaultValue, isAtomic: field.isAtomic, patchStrategy: field.patchStrategy,
                patchMergeKey: field.patchMergeKey)
        default: return Schema(.any, description: field.description, preservesUnknownFields: true)
        }
    }

    /// One schema for all fields that say no more than their type.
    private static func shared(_ type: Schema.ValueType, _ format: String?) -> Schema {
        switch (type, format) {
        case (.string, nil): plainString
        case (.boolean, _): plainBoolean
        case (.integer, "int32"): plainInt32
        case (.integer, _): plainInt64
        default: Schema(type, format: format)
        }
    }

    private static let plainString = Schema(.string)
    private static let plainBoolean = Schema(.boolean)
    private static let plainInt32 = Schema(.integer, format: "int32")
    private static let plainInt64 = Schema(.integer, format: "int64")
}

/// What follows a field's type.
private struct FieldAttributes {
    var description = ""
    var listType: Schema.ListType?
    var isAtomic = false
    var patchStrategy: [String] = []
    var patchMergeKey: String?
    var enumeration: [JSON] = []
    var defaultValue: JSON?

    var isPlain: Bool { description.isEmpty && enumeration.isEmpty && defaultValue == nil && !isAtomic }

    init() {}

    init(_ field: FieldTableReader.Field) {
        description = FieldTableReader.text(field.description)
        for (letter, value) in field.attributes {
            switch letter {
            case UInt8(ascii: "A"): isAtomic = true
            case UInt8(ascii: "L"): listType = Self.listType(FieldTableReader.text(value))
            case UInt8(ascii: "P"):
                let parts = FieldTableReader.text(value).split(separator: ":")
                patchStrategy = parts.first?.split(separator: ",").map(String.init) ?? []
                patchMergeKey = parts.count > 1 ? String(parts[1]) : nil
            case UInt8(ascii: "E"):
                enumeration = FieldTableReader.text(value).split(separator: "|").map { .string(String($0)) }
            case UInt8(ascii: "D"): defaultValue = try? JSON(decoding: FieldTableReader.text(value))
            default: break
            }
        }
    }

    private static func listType(_ text: String) -> Schema.ListType {
        let parts = text.split(separator: ":")
        switch parts.first {
        case "set": return .set
        case "map": return .map(keys: parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : [])
        default: return .atomic
        }
    }
}
