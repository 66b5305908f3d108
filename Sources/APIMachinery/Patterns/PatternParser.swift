/// Reads a regular expression in the syntax of RE2 (https://github.com/google/re2/wiki/Syntax), which has nothing that a
/// finite automaton cannot do: no back references, no looking around.
struct PatternParser {
    struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotIsAll = false
    }

    /// As RE2's.
    private static let maxRepetition = 1000
    private static let maxDepth = 200

    let scalars: [Unicode.Scalar]
    var position = 0
    var flags = Flags()
    private var depth = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func parse() throws(PatternError) -> PatternTree {
        let tree = try choice()
        guard position == scalars.count else { throw fault("unexpected )", from: 0) }
        return tree
    }

    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func skip(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    func fault(_ problem: String, from start: Int) -> PatternError {
        var part = ""
        part.unicodeScalars.append(contentsOf: scalars[min(start, scalars.count)...].prefix(64))
        return PatternError(problem: problem, part: part)
    }

    private mutating func choice() throws(PatternError) -> PatternTree {
        var parts = [try sequence()]
        while skip("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(PatternError) -> PatternTree {
        var parts: [PatternTree] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if "*+?".unicodeScalars.contains(scalar) {
                throw fault("missing argument to repetition operator", from: position)
            }
            guard let part = try atom() else { continue }
            parts.append(try repeated(part))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func repeated(_ part: PatternTree) throws(PatternError) -> PatternTree {
        let start = position
        guard let (least, most) = try bounds() else { return part }
        // Which of several matches is found does not matter.
        _ = skip("?")
        let after = position
        if try bounds() != nil { throw fault("invalid nested repetition operator", from: start) }
        position = after
        return .repetition(part, min: least, max: most)
    }

    private mutating func bounds() throws(PatternError) -> (Int, Int?)? {
        let start = position
        switch next {
        case "*":
            position += 1
            return (0, nil)
        case "+":
            position += 1
            return (1, nil)
        case "?":
            position += 1
            return (0, 1)
        case "{":
            position += 1
            var most: Int?
            if let least = number() {
                most = least
                if skip(",") { most = number() }
                if skip("}") {
                    guard least <= Self.maxRepetition, most ?? least <= Self.maxRepetition, most ?? least >= least
                    else { throw fault("invalid repeat count", from: start) }
                    return (least, most)
                }
            }
            // Any other brace is itself.
            position = start
            return nil
        default: return nil
        }
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = min((value ?? 0) * 10 + Int(scalar.value - 48), Self.maxRepetition + 1)
            position += 1
        }
        return value
    }

    /// Nil for what only sets flags.
    private mutating func atom() throws(PatternError) -> PatternTree? {
        let start = position
        guard let scalar = next else { return .empty }
        position += 1
        switch scalar {
        case "(": return try group(start)
        case "[": return .scalar(try set(start))
        case ".": return .scalar(flags.dotIsAll ? .all : .allButNewline)
        case "^": return .assert(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assert(flags.isMultiline ? .lineEnd : .textEnd)
        case "\\": return try escape(start)
        default: return literal(scalar)
        }
    }

    func literal(_ scalar: Unicode.Scalar) -> PatternTree {
        var set = ScalarSet(scalar)
        set.ignoresCase = flags.ignoresCase
        return .scalar(set)
    }

    private mutating func group(_ start: Int) throws(PatternError) -> PatternTree? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw fault("expression nests too deeply", from: start) }
        let outer = flags
        if skip("?P<") || skip("?<") {
            let name = position
            while let scalar = next, ScalarSet.word.contains(scalar) { position += 1 }
            guard position > name, skip(">") else { throw fault("invalid named capture", from: start) }
        } else if skip("?") {
            guard try setFlags(start) else { return nil }
        }
        let tree = try choice()
        guard skip(")") else { throw fault("missing closing )", from: 0) }
        flags = outer
        return tree
    }

    /// - Returns: whether a group follows to which they apply; else they apply to what is left of the one around.
    private mutating func setFlags(_ start: Int) throws(PatternError) -> Bool {
        var on = true
        while let scalar = next {
            position += 1
            switch scalar {
            case "i": flags.ignoresCase = on
            case "m": flags.isMultiline = on
            case "s": flags.dotIsAll = on
            case "U": break
            case "-" where on: on = false
            case ":": return true
            case ")": return false
            default: throw fault("invalid or unsupported Perl syntax", from: start)
            }
        }
        throw fault("missing closing )", from: 0)
    }
}
