import Yams

extension JSON {
    /// Decodes the document of a YAML text, by YAML 1.2's core schema as Kubernetes reads manifests.
    ///
    /// - Throws: with the line; also where it is too deep, or its aliases stand for too much.
    public init(yaml text: String) throws(YAMLDecodingError) { self = try YAMLReader.read(text) }

    /// What a plain scalar stands for.
    init(plainYAML text: String) { self = Self.value(ofPlain: text) }

    private static func value(ofPlain text: String) -> JSON {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if let number = Int64(text) { return .integer(number) }
        if text.hasPrefix("0x"), let number = Int64(text.dropFirst(2), radix: 16) { return .integer(number) }
        if text.hasPrefix("0o"), let number = Int64(text.dropFirst(2), radix: 8) { return .integer(number) }
        let looksNumeric = text.utf8.first.map { "+-.0123456789".utf8.contains($0) } ?? false
        if looksNumeric, text.utf8.contains(where: { (48...57).contains($0) }), let number = Double(text),
            number.isFinite
        {
            return .double(number)
        }
        return .string(text)
    }

    /// The value as a YAML document with sorted keys, as `kubectl -o yaml` prints it.
    public var yaml: String {
        get throws { try Yams.serialize(node: Self.node(of: self), allowUnicode: true) }
    }

    private static func node(of value: JSON) -> Yams.Node {
        switch value {
        case .null: return Yams.Node("null", Tag(.null))
        case .bool(let value): return Yams.Node(value ? "true" : "false", Tag(.bool))
        case .integer(let value): return Yams.Node(String(value), Tag(.int))
        case .double(let value): return Yams.Node("\(value)", Tag(.float))
        case .string(let text):
            // Text that would read back as something else is quoted.
            let ambiguous = Self.value(ofPlain: text) != .string(text) || Self.isDate(text)
            return .scalar(Yams.Node.Scalar(text, Tag(.str), ambiguous ? .doubleQuoted : .any))
        case .array(let elements): return .sequence(Yams.Node.Sequence(elements.map(Self.node(of:))))
        case .object(let members):
            let pairs = members.keys.sorted().map { (Yams.Node($0), Self.node(of: members[$0] ?? .null)) }
            return .mapping(Yams.Node.Mapping(pairs))
        }
    }

    /// Whether other readers of YAML take a text for a date: it begins with a year and a dash.
    private static func isDate(_ text: String) -> Bool {
        text.utf8.prefix(5).enumerated().allSatisfy { $0 == 4 ? $1 == 45 : (48...57).contains($1) }
            && text.utf8.count >= 8
    }
}
