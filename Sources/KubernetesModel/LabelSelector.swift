/// Which labels an object must have, from a query (`a=b,c!=d,e in (x,y),!f`) or from a `LabelSelector` field.
public struct LabelSelector: Sendable, Hashable, CustomStringConvertible {
    public enum Operator: String, Sendable {
        case equals = "="
        case notEquals = "!="
        case isIn = "in"
        case notIn = "notin"
        case exists
        case doesNotExist = "!"
        case greaterThan = "gt"
        case lessThan = "lt"
    }

    public struct Requirement: Sendable, Hashable {
        public let key: String
        public let `operator`: Operator
        public let values: [String]

        public init(_ key: String, _ operator: Operator, _ values: [String] = []) {
            self.key = key
            self.operator = `operator`
            self.values = values
        }

        public func matches(_ labels: [String: String]) -> Bool {
            let label = labels[key]
            switch `operator` {
            case .equals, .isIn: return label.map(values.contains) ?? false
            case .notEquals, .notIn: return label.map { !values.contains($0) } ?? true
            case .exists: return label != nil
            case .doesNotExist: return label == nil
            case .greaterThan, .lessThan:
                guard let number = label.flatMap({ Int64($0) }), let bound = values.first.flatMap({ Int64($0) }) else {
                    return false
                }
                return `operator` == .greaterThan ? number > bound : number < bound
            }
        }
    }

    public let requirements: [Requirement]
    /// Whether the selector is none at all, which matches no object (an absent `selector`).
    public let matchesNothing: Bool

    public init(_ requirements: [Requirement]) {
        self.requirements = requirements
        matchesNothing = false
    }

    private init(matchesNothing: Bool) {
        requirements = []
        self.matchesNothing = matchesNothing
    }

    public static let everything = LabelSelector([])
    public static let nothing = LabelSelector(matchesNothing: true)

    /// A selector of equal labels, as in a Service's or a ReplicationController's `spec.selector`.
    public init(labels: [String: String]) {
        self.init(labels.sorted { $0.key < $1.key }.map { Requirement($0.key, .equals, [$0.value]) })
    }

    /// A `meta/v1 LabelSelector`. Null matches nothing, an empty one everything.
    public init(_ json: JSON) {
        guard case .object = json else {
            self = .nothing
            return
        }
        var requirements = json["matchLabels"].stringMap.sorted { $0.key < $1.key }
            .map { Requirement($0.key, .equals, [$0.value]) }
        for expression in json["matchExpressions"].items {
            let key = expression["key"].string ?? ""
            let values = expression["values"].strings
            switch expression["operator"].string {
            case "In": requirements.append(Requirement(key, .isIn, values))
            case "NotIn": requirements.append(Requirement(key, .notIn, values))
            case "Exists": requirements.append(Requirement(key, .exists))
            case "DoesNotExist": requirements.append(Requirement(key, .doesNotExist))
            case "Gt": requirements.append(Requirement(key, .greaterThan, values))
            case "Lt": requirements.append(Requirement(key, .lessThan, values))
            default:
                // Validation keeps such an object out; one that came by anyway must not select everything.
                self = .nothing
                return
            }
        }
        self.init(requirements)
    }

    public func matches(_ labels: [String: String]) -> Bool {
        !matchesNothing && requirements.allSatisfy { $0.matches(labels) }
    }

    public var isEmpty: Bool { !matchesNothing && requirements.isEmpty }

    /// The selector as a query parameter.
    public var description: String {
        requirements.map { requirement in
            switch requirement.operator {
            case .equals: "\(requirement.key)=\(requirement.values.first ?? "")"
            case .notEquals: "\(requirement.key)!=\(requirement.values.first ?? "")"
            case .isIn: "\(requirement.key) in (\(requirement.values.sorted().joined(separator: ",")))"
            case .notIn: "\(requirement.key) notin (\(requirement.values.sorted().joined(separator: ",")))"
            case .exists: requirement.key
            case .doesNotExist: "!\(requirement.key)"
            case .greaterThan: "\(requirement.key)>\(requirement.values.first ?? "")"
            case .lessThan: "\(requirement.key)<\(requirement.values.first ?? "")"
            }
        }.joined(separator: ",")
    }
}

extension LabelSelector {
    /// Parses the string form.
    ///
    /// - Throws: `Status` (400) with the message of the API server.
    public init(parsing text: String) throws(Status) {
        var parser = SelectorParser(text)
        self.init(try parser.requirements())
        for requirement in requirements {
            if let fault = Names.qualifiedName(requirement.key).first {
                throw .badRequest("unable to parse requirement: <nil>: Invalid value: \"\(requirement.key)\": \(fault)")
            }
            for value in requirement.values {
                if let fault = Names.labelValue(value).first {
                    throw .badRequest(
                        "unable to parse requirement: values[0][\(requirement.key)]: Invalid value: \"\(value)\": \(fault)"
                    )
                }
            }
        }
    }
}

/// Splits a selector's text into tokens and those into requirements.
private struct SelectorParser {
    private enum Token: Equatable {
        case word(String)
        case symbol(String)
        case end

        var text: String {
            switch self {
            case .word(let text), .symbol(let text): text
            case .end: ""
            }
        }
    }

    private var tokens: [Token] = []
    private var position = 0

    init(_ text: String) {
        var word = ""
        func flushed() -> [Token] { word.isEmpty ? [] : [.word(word)] }
        let characters = Array(text)
        var index = 0
        while index < characters.count {
            let character = characters[index]
            switch character {
            case " ", "\t", "\r", "\n":
                tokens += flushed()
                word = ""
            case "=", "!", "<", ">", ",", "(", ")":
                tokens += flushed()
                word = ""
                let next = index + 1 < characters.count ? characters[index + 1] : " "
                if (character == "=" || character == "!") && next == "=" {
                    tokens.append(.symbol("\(character)="))
                    index += 1
                } else {
                    tokens.append(.symbol(String(character)))
                }
            default: word.append(character)
            }
            index += 1
        }
        tokens += flushed()
    }

    private var current: Token { position < tokens.count ? tokens[position] : .end }

    private mutating func take() -> Token {
        defer { position += 1 }
        return current
    }

    private static func failure(_ why: String) -> Status { .badRequest("unable to parse requirement: \(why)") }

    mutating func requirements() throws(Status) -> [LabelSelector.Requirement] {
        var requirements: [LabelSelector.Requirement] = []
        guard current != .end else { return [] }
        while true {
            requirements.append(try requirement())
            switch take() {
            case .end: return requirements
            case .symbol(","):
                switch current {
                case .word, .symbol("!"): continue
                default: throw Self.failure("found '\(current.text)', expected: identifier after ','")
                }
            case let other: throw Self.failure("found '\(other.text)', expected: ',' or 'end of string'")
            }
        }
    }

    private mutating func requirement() throws(Status) -> LabelSelector.Requirement {
        let negated = current == .symbol("!")
        if negated { position += 1 }
        guard case .word(let key) = take() else {
            throw Self.failure(
                "found '\(tokens[safe: position - 1]?.text ?? "")', expected: !, identifier, or 'end of string'")
        }
        if negated { return .init(key, .doesNotExist) }
        switch current {
        case .end, .symbol(","): return .init(key, .exists)
        default: break
        }
        switch take() {
        case .symbol("="), .symbol("=="): return .init(key, .equals, [try value()])
        case .symbol("!="): return .init(key, .notEquals, [try value()])
        case .symbol(">"): return .init(key, .greaterThan, [try value()])
        case .symbol("<"): return .init(key, .lessThan, [try value()])
        case .word("in"): return .init(key, .isIn, try values())
        case .word("notin"): return .init(key, .notIn, try values())
        case let other:
            throw Self.failure("found '\(other.text)', expected: in, notin, =, ==, !=, gt, lt")
        }
    }

    private mutating func value() throws(Status) -> String {
        switch current {
        case .end, .symbol(","): return ""
        case .word(let text):
            position += 1
            return text
        case .symbol(let text): throw Self.failure("found '\(text)', expected: identifier")
        }
    }

    private mutating func values() throws(Status) -> [String] {
        let open = take()
        guard open == .symbol("(") else { throw Self.failure("found '\(open.text)' expected: '('") }
        var values: [String] = []
        var separated = true
        while true {
            switch take() {
            case .word(let text):
                values.append(text)
                separated = false
            case .symbol(","):
                if separated { values.append("") }
                separated = true
            case .symbol(")"):
                if separated { values.append("") }
                return Array(Set(values)).sorted()
            case let other: throw Self.failure("found '\(other.text)', expected: ',', or ')'")
            }
        }
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
