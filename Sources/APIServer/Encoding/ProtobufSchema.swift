import KubernetesModel

/// The protobuf messages of the built-in kinds, read from `protobufFields` when the first request needs them.
struct ProtobufSchema: Sendable {
    static let builtIn = ProtobufSchema(protobufFields)

    /// A field's type, in the letters of the table.
    indirect enum FieldType: Sendable {
        case string, bool, integer, double, bytes
        case quantity, time, microTime, intOrString, raw, duration
        case message(String)
        /// A message that stands for a list: its field 1 repeats the elements.
        case wrappedList(FieldType)
        case list(FieldType)
        case map(FieldType)
        /// A Go pointer: present means given, also where the value is zero.
        case optional(FieldType)

        init?(_ text: Substring) {
            guard let letter = text.first else { return nil }
            let rest = text.dropFirst()
            switch letter {
            case "s": self = .string
            case "b": self = .bool
            case "i": self = .integer
            case "d": self = .double
            case "y": self = .bytes
            case "q": self = .quantity
            case "t": self = .time
            case "u": self = .microTime
            case "o": self = .intOrString
            case "r": self = .raw
            case "D": self = .duration
            case ">": self = .message(String(rest))
            case "L", "[", "{", "*":
                guard let inner = FieldType(rest) else { return nil }
                self =
                    switch letter {
                    case "L": .wrappedList(inner)
                    case "[": .list(inner)
                    case "{": .map(inner)
                    default: .optional(inner)
                    }
            default: return nil
            }
        }
    }

    struct Field: Sendable {
        /// Nil where the message's members belong to the object around it.
        let name: String?
        let type: FieldType
    }

    private let messages: [String: [Int: Field]]

    private init(_ text: StaticString) {
        let all = text.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        var messages: [String: [Int: Field]] = [:]
        var message = ""
        for line in all.split(separator: "\n") {
            if line.first == "=" {
                message = String(line.dropFirst())
                messages[message] = [:]
                continue
            }
            let parts = line.split(separator: " ")
            guard parts.count == 3, let number = Int(parts[0]), let type = FieldType(parts[2]) else { continue }
            messages[message]?[number] = Field(name: parts[1] == "^" ? nil : String(parts[1]), type: type)
        }
        self.messages = messages
    }

    func fields(of message: String) -> [Int: Field]? { messages[message] }

    /// The message of a kind; those that every group has (`DeleteOptions`) are the API machinery's own.
    func message(apiVersion: String, kind: String) -> String? {
        let parts = apiVersion.split(separator: "/")
        let version = parts.last.map(String.init) ?? ""
        let group = parts.count == 2 ? String(parts[0].split(separator: ".").first ?? "") : "core"
        return ["\(group).\(version).\(kind)", "meta.v1.\(kind)"].first { messages[$0] != nil }
    }
}
