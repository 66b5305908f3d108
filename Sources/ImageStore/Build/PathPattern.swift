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

    /// Where something does not match, only the last `**` takes one name more: those before it need not be tried again,
    /// so that the time grows with the product of both lengths and no further.
    private static func matches(_ pattern: ArraySlice<[Character]>, _ names: ArraySlice<[Character]>) -> Bool {
        var (pattern, names) = (pattern, names)
        var retry: (pattern: ArraySlice<[Character]>, names: ArraySlice<[Character]>)?
        while true {
            if pattern.first == ["*", "*"] {
                pattern = pattern.dropFirst()
                retry = (pattern, names)
            } else if let first = pattern.first, let name = names.first, matches(first[...], name[...]) {
                (pattern, names) = (pattern.dropFirst(), names.dropFirst())
            } else if pattern.isEmpty, names.isEmpty {
                return true
            } else {
                guard let last = retry, !last.names.isEmpty else { return false }
                retry = (last.pattern, last.names.dropFirst())
                (pattern, names) = (last.pattern, last.names.dropFirst())
            }
        }
    }

    /// As above, with `*` within a name.
    private static func matches(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
        var (pattern, text) = (pattern, text)
        var retry: (pattern: ArraySlice<Character>, text: ArraySlice<Character>)?
        while true {
            if pattern.first == "*" {
                pattern = pattern.dropFirst()
                retry = (pattern, text)
            } else if let character = text.first, let rest = one(pattern, character) {
                (pattern, text) = (rest, text.dropFirst())
            } else if pattern.isEmpty, text.isEmpty {
                return true
            } else {
                guard let last = retry, !last.text.isEmpty else { return false }
                retry = (last.pattern, last.text.dropFirst())
                (pattern, text) = (last.pattern, last.text.dropFirst())
            }
        }
    }

    /// What follows the part of a pattern that one character matches; nil where it does not.
    private static func one(_ pattern: ArraySlice<Character>, _ character: Character) -> ArraySlice<Character>? {
        switch pattern.first {
        case nil: return nil
        case "?": return pattern.dropFirst()
        case "[":
            guard let (isIn, rest) = bracket(pattern.dropFirst(), character), isIn else { return nil }
            return rest
        case "\\" where pattern.count > 1:
            return pattern.dropFirst().first == character ? pattern.dropFirst(2) : nil
        case let first: return first == character ? pattern.dropFirst() : nil
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
