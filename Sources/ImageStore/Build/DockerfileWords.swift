import KubernetesModel

/// The words of an instruction: quotes, escapes and variables as Dockerfiles have them.
struct DockerfileWords {
    let escape: Character
    /// The value of a variable; nil where it is not set.
    let variable: (String) -> String?

    /// Splits at white space outside quotes; quotes and escapes stay in.
    func split(_ text: some StringProtocol) throws(ImageError) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var characters = text.makeIterator()
        while let character = characters.next() {
            if character == escape, quote != "'" {
                word.append(character)
                if let next = characters.next() { word.append(next) }
            } else if let open = quote {
                word.append(character)
                if character == open { quote = nil }
            } else if character.isWhitespace {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                if character == "\"" || character == "'" { quote = character }
                word.append(character)
            }
        }
        if let quote { throw .usage("a \(quote) has no closing \(quote)") }
        if !word.isEmpty { words.append(word) }
        return words
    }

    /// Puts in variables; takes out quotes and escapes.
    func expand(_ text: some StringProtocol) throws(ImageError) -> String {
        var rest = Substring(String(text))
        return try expand(&rest, until: nil)
    }

    /// The words of the JSON form `["a", "b"]`; nil where `text` is not that.
    static func jsonForm(_ text: String) -> [String]? {
        guard text.hasPrefix("["), let value = try? JSON(decoding: text), let items = value.array else { return nil }
        let strings = items.compactMap(\.string)
        return strings.count == items.count ? strings : nil
    }

    /// `NAME=value` pairs, or the old form `NAME rest of the line`.
    func pairs(_ text: String) throws(ImageError) -> [(name: String, value: String)] {
        let words = try split(text)
        guard let first = words.first else { return [] }
        if !first.contains("=") {
            let value = text.dropFirst(first.count).trimmed
            guard !value.isEmpty else { throw .usage("\"\(first)\" has no value: write \(first)=VALUE") }
            return [(try expand(first), try expand(value))]
        }
        var pairs: [(name: String, value: String)] = []
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw .usage("\"\(word)\" is not NAME=VALUE") }
            let name = try expand(parts[0])
            guard !name.isEmpty else { throw .usage("\"\(word)\" has no name before the =") }
            pairs.append((name, try expand(parts[1])))
        }
        return pairs
    }

    private func expand(_ rest: inout Substring, until end: Character?) throws(ImageError) -> String {
        var result = ""
        var quote: Character?
        while let character = rest.first {
            if quote == nil, character == end { return result }
            rest.removeFirst()
            if quote == "'" {
                if character == "'" { quote = nil } else { result.append(character) }
            } else if character == escape {
                guard let next = rest.popFirst() else {
                    result.append(character)
                    break
                }
                // Within double quotes an escape before any other character is that character's company.
                if quote == "\"", next != "\"", next != "$", next != escape { result.append(character) }
                result.append(next)
            } else if character == "\"" || (character == "'" && quote == nil) {
                quote = quote == nil ? character : nil
            } else if character == "$" {
                result += try variable(&rest)
            } else {
                result.append(character)
            }
        }
        if let quote { throw .usage("a \(quote) has no closing \(quote)") }
        if end != nil { throw .usage("a ${ has no closing }") }
        return result
    }

    /// What follows a `$`.
    private func variable(_ rest: inout Substring) throws(ImageError) -> String {
        guard rest.first == "{" else {
            let name = Self.takeName(&rest)
            return name.isEmpty ? "$" : variable(name) ?? ""
        }
        rest.removeFirst()
        let name = Self.takeName(&rest)
        guard !name.isEmpty else { throw .usage("a ${ is not followed by a variable's name") }
        let value = variable(name)
        if rest.popFirst(if: "}") { return value ?? "" }
        // With a colon, an empty value counts as none.
        let isSet = rest.popFirst(if: ":") ? value?.isEmpty == false : value != nil
        guard let operation = rest.popFirst(), "-+?".contains(operation) else {
            throw .usage("${\(name)…}: only ${\(name)}, and with :-, :+, :?, -, + or ? are supported")
        }
        let word = try expand(&rest, until: "}")
        rest = rest.dropFirst()
        switch operation {
        case "-": return isSet ? value ?? "" : word
        case "+": return isSet ? word : ""
        default:
            guard isSet else { throw .usage("\(name): \(word.isEmpty ? "is not set" : word)") }
            return value ?? ""
        }
    }

    private static func takeName(_ rest: inout Substring) -> String {
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        rest = rest[name.endIndex...]
        return String(name)
    }
}

extension Substring {
    fileprivate mutating func popFirst(if character: Character) -> Bool {
        guard first == character else { return false }
        removeFirst()
        return true
    }
}
