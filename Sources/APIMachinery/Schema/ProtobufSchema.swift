import KubernetesModel

/// The protobuf messages of the built-in kinds, read from the table when the first request needs them.
struct ProtobufSchema: Sendable {
    static let builtIn = ProtobufSchema(FieldTableReader(fieldTable))

    /// A field's type, as far as it decides how bytes become JSON.
    indirect enum FieldType: Sendable {
        case string, bool, integer, double, bytes
        case quantity, time, microTime, intOrString, raw
        case message(String)
        /// A message that stands for a list: its field 1 repeats the elements.
        case wrappedList(FieldType)
        case list(FieldType)
        case map(FieldType)
        /// A Go pointer: present means given, also where the value is zero.
        case optional(FieldType)
    }

    /// A message's fields by number.
    struct Message: Sendable {
        fileprivate(set) var fields: [Int: Field] = [:]
    }

    enum Field: Sendable {
        case member(String, FieldType)
        /// A message whose fields are members of the object around it.
        case embedded(Message)
    }

    /// By the names of definitions.
    private let messages: [String: Message]

    private init(_ table: FieldTableReader) {
        var messages: [String: Message] = [:]
        var name = ""
        var message = Message()
        for line in table {
            switch line {
            case .definition(let next, _):
                if !message.fields.isEmpty { messages[name] = message }
                name = FieldTableReader.definition(next)
                message = Message()
            case .field(let field): message.add(field)
            case .atomicDefinition: break
            }
        }
        if !message.fields.isEmpty { messages[name] = message }
        self.messages = messages
    }

    subscript(definition: String) -> Message? { messages[definition] }

    /// The message of a kind; those that every group has (`DeleteOptions`) are the API machinery's own.
    func message(apiVersion: String, kind: String) -> Message? {
        let parts = apiVersion.split(separator: "/")
        let version = parts.last.map(String.init) ?? ""
        let group = parts.count == 2 ? String(parts[0].split(separator: ".").first ?? "") : "core"
        return messages["\(FieldTableReader.apiPrefix)\(group).\(version).\(kind)"]
            ?? messages[FieldTableReader.metaPrefix + kind]
    }
}

extension ProtobufSchema.Message {
    /// Adds a field that has a number; what protobuf does not carry has none.
    fileprivate mutating func add(_ field: FieldTableReader.Field) {
        guard let (_, code) = field.attributes.first(where: { $0.letter == UInt8(ascii: "#") }) else { return }
        let text = FieldTableReader.text(code)
        let digits = text.prefix { $0 == "." || $0.isNumber }
        let flags = text[digits.endIndex...]
        let path = digits.split(separator: ".").compactMap { Int($0) }
        guard var type = ProtobufSchema.FieldType(field.type) else { return }
        if flags.contains("w"), case .list(let element) = type { type = .wrappedList(element) }
        if flags.contains("*") { type = .optional(type) }
        add(.member(FieldTableReader.text(field.name), type), at: path[...])
    }

    private mutating func add(_ field: ProtobufSchema.Field, at path: ArraySlice<Int>) {
        guard let number = path.first else { return }
        guard path.count > 1 else {
            fields[number] = field
            return
        }
        var inner = ProtobufSchema.Message()
        if case .embedded(let message) = fields[number] { inner = message }
        inner.add(field, at: path.dropFirst())
        fields[number] = .embedded(inner)
    }
}

extension ProtobufSchema.FieldType {
    /// Nil for what no message has.
    init?(_ code: FieldTableReader.Bytes) {
        let rest = code.dropFirst()
        switch code.first {
        case UInt8(ascii: "s"): self = .string
        case UInt8(ascii: "b"): self = .bool
        case UInt8(ascii: "i"), UInt8(ascii: "l"): self = .integer
        case UInt8(ascii: "d"): self = .double
        case UInt8(ascii: "y"): self = .bytes
        case UInt8(ascii: "q"): self = .quantity
        case UInt8(ascii: "t"): self = .time
        case UInt8(ascii: "m"): self = .microTime
        case UInt8(ascii: "x"): self = .intOrString
        case UInt8(ascii: "r"), UInt8(ascii: "f"): self = .raw
        case UInt8(ascii: ">"): self = .message(FieldTableReader.definition(rest))
        case UInt8(ascii: "["):
            guard let element = Self(rest) else { return nil }
            self = .list(element)
        case UInt8(ascii: "{"):
            guard let value = Self(rest) else { return nil }
            // Protobuf has no lists in maps: each is a message.
            if case .list(let element) = value { self = .map(.wrappedList(element)) } else { self = .map(value) }
        default: return nil
        }
    }
}
