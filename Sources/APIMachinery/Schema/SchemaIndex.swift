import KubernetesModel

/// The definitions of built-in kinds by name, such as `io.k8s.api.apps.v1.Deployment`.
///
/// They are read from `schemaText`, whose lines are
///
///     =DEFINITION [TAB description]
///     FIELD[!] TYPE [L=list type[:keys]] [A] [P=strategies[:merge key]] [E=a|b] [D=default] [TAB description]
///
/// where `!` marks required fields, `A` atomic objects (on a line `. A`, the definition itself), and TYPE is a letter
/// below, `[TYPE` for a list, `{TYPE` for a map, or `>DEFINITION`. In definitions, `~` stands for `io.k8s.api.` and `^`
/// for `io.k8s.apimachinery.pkg.apis.meta.v1.`.
public struct SchemaIndex: Sendable {
    public let definitions: [String: Schema]

    public subscript(name: String) -> Schema? { definitions[name] }

    public static let builtIn = SchemaIndex(
        text: UnsafeBufferPointer(start: schemaText.utf8Start, count: schemaText.utf8CodeUnitCount))

    static let metaPrefix = "io.k8s.apimachinery.pkg.apis.meta.v1."
    static let apiPrefix = "io.k8s.api."
    static let apiVersion = Schema(.string, description: "The group and version of the object's schema.")
    static let kind = Schema(.string, description: "The kind of the object.")
    static let metadata = Schema(
        .object, reference: metaPrefix + "ObjectMeta", description: "What every object has: name, labels and more.")

    init(text: UnsafeBufferPointer<UInt8>) {
        var definitions: [String: Schema] = [:]
        definitions.reserveCapacity(600)
        var reader = DefinitionReader()
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "=") {
                if let (name, schema) = reader.finish() { definitions[name] = schema }
                reader.begin(line.dropFirst())
            } else {
                reader.field(line)
            }
        }
        if let (name, schema) = reader.finish() { definitions[name] = schema }
        self.definitions = definitions
    }
}

/// Collects one definition's lines.
private struct DefinitionReader {
    typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    private var name: String?
    private var description = ""
    private var properties: [String: Schema] = [:]
    private var required: [String] = []
    private var isAtomic = false

    private static func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func definition(_ bytes: Bytes) -> String {
        switch bytes.first {
        case UInt8(ascii: "~"): SchemaIndex.apiPrefix + text(bytes.dropFirst())
        case UInt8(ascii: "^"): SchemaIndex.metaPrefix + text(bytes.dropFirst())
        default: text(bytes)
        }
    }

    mutating func begin(_ line: Bytes) {
        let halves = line.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
        name = Self.definition(halves[0])
        description = halves.count > 1 ? Self.text(halves[1]) : ""
    }

    mutating func finish() -> (String, Schema)? {
        guard let name else { return nil }
        defer { self = DefinitionReader() }
        return (
            name,
            Schema(
                .object, description: description, properties: properties, required: required, isAtomic: isAtomic,
                preservesUnknownFields: properties.isEmpty)
        )
    }

    mutating func field(_ line: Bytes) {
        let halves = line.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
        let words = halves[0].split(separator: UInt8(ascii: " "))
        guard words.count >= 2 else { return }
        if words[0].first == UInt8(ascii: ".") {
            isAtomic = true
            return
        }
        var label = words[0]
        if label.last == UInt8(ascii: "!") {
            label = label.dropLast()
            required.append(Self.text(label))
        }
        var attributes = FieldAttributes()
        attributes.description = halves.count > 1 ? Self.text(halves[1]) : ""
        for word in words.dropFirst(2) { attributes.read(Self.text(word)) }
        properties[Self.text(label)] = Self.schema(words[1], attributes)
    }

    private static func schema(_ code: Bytes, _ field: FieldAttributes) -> Schema {
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
                .object, reference: definition(code.dropFirst()), description: field.description,
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

    mutating func read(_ word: String) {
        let value = String(word.dropFirst(2))
        switch word.first {
        case "A": isAtomic = true
        case "L":
            let parts = value.split(separator: ":")
            switch parts.first {
            case "set": listType = .set
            case "map":
                let keys = parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : []
                listType = .map(keys: keys)
            default: listType = .atomic
            }
        case "P":
            let parts = value.split(separator: ":")
            patchStrategy = parts.first?.split(separator: ",").map(String.init) ?? []
            patchMergeKey = parts.count > 1 ? String(parts[1]) : nil
        case "E": enumeration = value.split(separator: "|").map { .string(String($0)) }
        case "D": defaultValue = try? JSON(decoding: value)
        default: break
        }
    }
}
