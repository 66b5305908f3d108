/// A path with wildcards: `*`, `?` and `[a-z]` within a name (as Go's `filepath.Match`), `**` for any directories.
struct PathPattern {
    private let parts: [[Character]]

    init(_ pattern: String) {
        parts = Files.components(pattern).map { Array($0) }
    }

    static func hasWildcard(_ name: some StringProtocol) -> Bool { name.contains { "*?[".contains($0) } }

    /// Whether it matches the whole path, given as names.
    func matches(_ names: [String]) -> Bool { Self.matches(parts[...], names.map { Array($0) }[...]) }

    /// Whether it matches the path or a directory that the path is in.
    func covers(_ names: [String]) -> Bool {
        names.indices.contains { matches(Array(names[...$0])) }
    }

    private static func matches(_ pattern: ArraySlice<[Character]>, _ names: ArraySlice<[Character]>) -> Bool {
        guard let first = pattern.first else { return names.isEmpty }
        if first == ["*", "*"] {
            return matches(pattern.dropFirst(), names) || (!names.isEmpty && matches(pattern, names.dropFirst()))
        }
        guard let name = names.first, matches(first[...], name[...]) else { return false }
        return matches(pattern.dropFirst(), names.dropFirst())
    }

    private static func matches(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        switch first {
        case "*":
            return matches(pattern.dropFirst(), text) || (!text.isEmpty && matches(pattern, text.dropFirst()))
        case "?":
            return !text.isEmpty && matches(pattern.dropFirst(), text.dropFirst())
        case "[":
            guard let character = text.first, let (isIn, rest) = bracket(pattern.dropFirst(), character) else {
                return false
            }
            return isIn && matches(rest, text.dropFirst())
        case "\\" where pattern.count > 1:
            return text.first == pattern.dropFirst().first && matches(pattern.dropFirst(2), text.dropFirst())
        default:
            return text.first == first && matches(pattern.dropFirst(), text.dropFirst())
        }
    }

    /// The set after a `[`: whether the character is in it, and what follows its `]`; nil where it is not closed.
    private static func bracket(
        _ pattern: ArraySlice<Character>, _ character: Character
    ) -> (isIn: Bool, rest: ArraySlice<Character>)? {
        var rest = pattern
        let isNegated = rest.first == "^"
        if isNegated { rest = rest.dropFirst() }
        var isIn = false
        while var low = rest.popFirst() {
            if low == "]" { return (isIn != isNegated, rest) }
            if low == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                low = escaped
            }
            var high = low
            if rest.first == "-", let end = rest.dropFirst().first, end != "]" {
                high = end
                rest = rest.dropFirst(2)
            }
            if low <= high, (low...high).contains(character) { isIn = true }
        }
        return nil
    }
}

/// `.dockerignore`: patterns of what is not in the build's context; `!` takes back; the last that matches decides.
struct DockerIgnore {
    private let rules: [(pattern: PathPattern, isException: Bool)]

    init(_ text: String) {
        rules = text.split(whereSeparator: \.isNewline).compactMap { line in
            var pattern = line.trimmed
            if pattern.isEmpty || pattern.hasPrefix("#") { return nil }
            let isException = pattern.hasPrefix("!")
            if isException { pattern = pattern.dropFirst().trimmed }
            return (PathPattern(String(pattern)), isException)
        }
    }

    func ignores(_ names: [String]) -> Bool {
        rules.last { $0.pattern.covers(names) }.map { !$0.isException } ?? false
    }
}
