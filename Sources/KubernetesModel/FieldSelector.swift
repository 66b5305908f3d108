/// Which field values an object must have: `metadata.name=web,status.phase!=Running`.
public struct FieldSelector: Sendable, Hashable, CustomStringConvertible {
    public struct Requirement: Sendable, Hashable {
        public let path: String
        public let value: String
        public let negated: Bool

        public init(_ path: String, _ value: String, negated: Bool = false) {
            self.path = path
            self.value = value
            self.negated = negated
        }
    }

    public let requirements: [Requirement]

    public init(_ requirements: [Requirement]) { self.requirements = requirements }

    public static let everything = FieldSelector([])

    /// Parses terms `path=value`, `path==value` and `path!=value`, separated by commas; `\` escapes `,`, `=` and `\`.
    ///
    /// - Throws: `Status` (400) with the message of the API server.
    public init(parsing text: String) throws(Status) {
        var requirements: [Requirement] = []
        for term in Self.terms(text) where !term.isEmpty {
            guard let range = Self.operatorRange(term) else {
                throw .badRequest("invalid selector: '\(text)'; can't understand '\(String(term))'")
            }
            let path = String(term[..<range.lowerBound])
            let value = try Self.unescaped(term[range.upperBound...])
            requirements.append(Requirement(path, value, negated: term[range.lowerBound] == "!"))
        }
        self.init(requirements)
    }

    private static func terms(_ text: String) -> [[Character]] {
        var terms: [[Character]] = [[]]
        var escaped = false
        for character in text {
            if escaped {
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else if character == "," {
                terms.append([])
                continue
            }
            terms[terms.count - 1].append(character)
        }
        return terms
    }

    private static func operatorRange(_ term: [Character]) -> Range<Int>? {
        for index in term.indices {
            let next: Character = index + 1 < term.count ? term[index + 1] : " "
            if term[index] == "!", next == "=" { return index..<index + 2 }
            if term[index] == "=" { return index..<index + (next == "=" ? 2 : 1) }
        }
        return nil
    }

    private static func unescaped(_ value: ArraySlice<Character>) throws(Status) -> String {
        var text = ""
        var escaped = false
        for character in value {
            if escaped {
                guard "\\,=".contains(character) else {
                    throw .badRequest("invalid field selector: invalid escape sequence: \\\(character)")
                }
                text.append(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else if character == "=" {
                throw .badRequest("invalid field selector: unescaped character in value: \(character)")
            } else {
                text.append(character)
            }
        }
        guard !escaped else { throw .badRequest("invalid field selector: invalid escape sequence: \\") }
        return text
    }

    public func matches(_ object: Object) -> Bool {
        requirements.allSatisfy { requirement in
            (Self.text(requirement.path, of: object) == requirement.value) != requirement.negated
        }
    }

    /// The value that `path` must have, where the selector names one.
    public func requiredValue(_ path: String) -> String? {
        requirements.first { $0.path == path && !$0.negated }?.value
    }

    public var isEmpty: Bool { requirements.isEmpty }

    public var description: String {
        requirements.map { requirement in
            let value = requirement.value.reduce(into: "") { text, character in
                if "\\,=".contains(character) { text.append("\\") }
                text.append(character)
            }
            return "\(requirement.path)\(requirement.negated ? "!=" : "=")\(value)"
        }.joined(separator: ",")
    }

    /// A field's value as selectors compare it; an absent field is empty.
    private static func text(_ path: String, of object: Object) -> String {
        switch path {
        case "metadata.name": return object.name
        case "metadata.namespace": return object.namespace
        case "source":
            // An event's source is selected by its component's name.
            let component = object["source"]["component"].string ?? ""
            return component.isEmpty ? object["reportingComponent"].string ?? "" : component
        default: break
        }
        var value = object.json
        for part in path.split(separator: ".") { value = value[String(part)] }
        switch value {
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return String(number)
        case .null where path == "spec.unschedulable" || path == "spec.hostNetwork": return "false"
        default: return ""
        }
    }
}
