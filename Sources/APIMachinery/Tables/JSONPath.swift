import KubernetesModel

/// The JSONPath of a custom resource's columns: members, indices, wildcards, and filters that compare with one value
/// (`.status.conditions[?(@.type=="Ready")].status`).
public struct JSONPath: Sendable, Hashable {
    private enum Step: Sendable, Hashable {
        case member(String)
        case index(Int)
        case all
        case filter(path: [String], value: JSON)
    }

    private let steps: [Step]

    /// Nil for a path with more than that in it.
    public init?(_ text: String) {
        var steps: [Step] = []
        var rest = Substring(text)
        if rest.hasPrefix("{"), rest.hasSuffix("}") { rest = rest.dropFirst().dropLast() }
        if rest.hasPrefix("$") { rest = rest.dropFirst() }
        while let first = rest.first {
            if first == "." {
                rest = rest.dropFirst()
                var name = ""
                while let character = rest.first, character != ".", character != "[" {
                    rest = rest.dropFirst()
                    if character == "\\", let escaped = rest.popFirst() {
                        name.append(escaped)
                    } else {
                        name.append(character)
                    }
                }
                if name == "*" { steps.append(.all) } else if !name.isEmpty { steps.append(.member(name)) }
            } else if first == "[" {
                guard let close = Self.closingBracket(rest), let step = Self.bracket(rest[..<close].dropFirst()) else {
                    return nil
                }
                steps.append(step)
                rest = rest[rest.index(after: close)...]
            } else {
                return nil
            }
        }
        self.steps = steps
    }

    private static func closingBracket(_ text: Substring) -> Substring.Index? {
        var quote: Character?
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "]" {
                return index
            }
        }
        return nil
    }

    private static func bracket(_ text: Substring) -> Step? {
        if text == "*" { return .all }
        if let index = Int(text) { return .index(index) }
        if let quote = text.first, quote == "'" || quote == "\"", text.last == quote, text.count >= 2 {
            return .member(String(text.dropFirst().dropLast()))
        }
        guard text.hasPrefix("?("), text.hasSuffix(")") else { return nil }
        let body = text.dropFirst(2).dropLast()
        guard let equals = body.firstRange(of: "==") else { return nil }
        let left = body[..<equals.lowerBound].filter { $0 != " " }
        var right = body[equals.upperBound...]
        while right.first == " " { right = right.dropFirst() }
        while right.last == " " { right = right.dropLast() }
        guard left.hasPrefix("@.") else { return nil }
        let value: JSON
        if let quote = right.first, quote == "'" || quote == "\"", right.last == quote {
            value = .string(String(right.dropFirst().dropLast()))
        } else {
            guard let parsed = try? JSON(decoding: String(right)) else { return nil }
            value = parsed
        }
        return .filter(path: left.dropFirst(2).split(separator: ".").map(String.init), value: value)
    }

    /// Every value that the path leads to.
    public func values(in document: JSON) -> [JSON] {
        var values = [document]
        for step in steps {
            values = values.flatMap { value -> [JSON] in
                switch step {
                case .member(let name):
                    guard let member = value.object?[name] else { return [] }
                    return [member]
                case .index(let index):
                    let elements = value.items
                    let position = index < 0 ? elements.count + index : index
                    return elements.indices.contains(position) ? [elements[position]] : []
                case .all:
                    return value.array ?? value.object?.sorted { $0.key < $1.key }.map(\.value) ?? []
                case .filter(let path, let wanted):
                    return value.items.filter { element in
                        path.reduce(element) { $0[$1] } == wanted
                    }
                }
            }
        }
        return values
    }
}

extension Substring {
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        for index in indices where self[index...].hasPrefix(text) {
            return index..<self.index(index, offsetBy: text.count)
        }
        return nil
    }
}
