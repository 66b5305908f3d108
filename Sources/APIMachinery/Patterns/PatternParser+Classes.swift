/// Escapes and classes.
extension PatternParser {
    mutating func escape(_ start: Int) throws(PatternError) -> PatternTree {
        switch next {
        case "A": return assertion(.textStart)
        case "z": return assertion(.textEnd)
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        case "Q":
            position += 1
            var parts: [PatternTree] = []
            while let scalar = next, !skip("\\E") {
                parts.append(literal(scalar))
                position += 1
            }
            return .sequence(parts)
        default: break
        }
        if var set = try namedSet(start) {
            set.ignoresCase = flags.ignoresCase
            return .scalar(set)
        }
        return literal(try escapedScalar(start))
    }

    private mutating func assertion(_ assertion: Pattern.Assertion) -> PatternTree {
        position += 1
        return .assert(assertion)
    }

    /// `\d`, `\pL`, `\p{Lu}` and the like, after the backslash.
    private mutating func namedSet(_ start: Int) throws(PatternError) -> ScalarSet? {
        guard let letter = next else { return nil }
        let sets: [Unicode.Scalar: ScalarSet] = ["d": .digits, "w": .word, "s": .space]
        if let set = sets[letter] {
            position += 1
            return set
        }
        if let lower = letter.properties.lowercaseMapping.unicodeScalars.first, var set = sets[lower] {
            position += 1
            set.isNegated = true
            return set
        }
        guard letter == "p" || letter == "P" else { return nil }
        position += 1
        var name = ""
        if skip("{") {
            while let scalar = next, scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard skip("}") else { throw fault("invalid character class range", from: start) }
        } else if let scalar = next {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        var set = ScalarSet()
        set.isNegated = letter == "P"
        if name.hasPrefix("^") {
            set.isNegated.toggle()
            name.removeFirst()
        }
        guard ScalarSet.categoryNames.contains(name) else { throw fault("invalid character class range", from: start) }
        set.categories = [name]
        return set
    }

    private mutating func escapedScalar(_ start: Int) throws(PatternError) -> Unicode.Scalar {
        guard let scalar = next else { throw fault("trailing backslash at end of expression", from: start) }
        position += 1
        let named: [Unicode.Scalar: Unicode.Scalar] = [
            "a": "\u{7}", "f": "\u{c}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{b}",
        ]
        if let known = named[scalar] { return known }
        switch scalar {
        case "x": return try hexadecimal(start)
        case "0"..."7" where scalar == "0" || next.map { ("0"..."7").contains($0) } ?? false:
            var value = scalar.value - 48
            for _ in 0..<2 {
                guard let digit = next, ("0"..."7").contains(digit) else { break }
                value = value * 8 + digit.value - 48
                position += 1
            }
            if let result = Unicode.Scalar(value) { return result }
        case _ where scalar.value < 128 && !ScalarSet(ScalarSet.posix["alnum"] ?? []).contains(scalar): return scalar
        default: break
        }
        throw fault("invalid escape sequence", from: start)
    }

    private mutating func hexadecimal(_ start: Int) throws(PatternError) -> Unicode.Scalar {
        let isBraced = skip("{")
        var value: UInt32 = 0
        var count = 0
        while let digit = next.flatMap({ Character($0).hexDigitValue }), count < (isBraced ? 8 : 2) {
            value = value << 4 | UInt32(digit)
            count += 1
            position += 1
        }
        guard count > 0, isBraced ? skip("}") : count == 2, let scalar = Unicode.Scalar(value) else {
            throw fault("invalid escape sequence", from: start)
        }
        return scalar
    }

    /// What follows a `[`.
    mutating func set(_ start: Int) throws(PatternError) -> ScalarSet {
        var set = ScalarSet()
        set.ignoresCase = flags.ignoresCase
        set.isNegated = skip("^")
        var isFirst = true
        while isFirst || next != "]" {
            guard let scalar = next else { throw fault("missing closing ]", from: start) }
            isFirst = false
            if scalar == "[", try posixSet(&set) { continue }
            let place = position
            if skip("\\"), let named = try namedSet(place) {
                set.formUnion(named)
                continue
            }
            position = place
            let low = try member(start)
            var high = low
            if next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" {
                position += 1
                high = try member(start)
            }
            guard low <= high else { throw fault("invalid character class range", from: place) }
            set.ranges.append(low.value...high.value)
        }
        position += 1
        return set
    }

    private mutating func member(_ start: Int) throws(PatternError) -> Unicode.Scalar {
        let place = position
        guard let scalar = next else { throw fault("missing closing ]", from: start) }
        position += 1
        return scalar == "\\" ? try escapedScalar(place) : scalar
    }

    private mutating func posixSet(_ set: inout ScalarSet) throws(PatternError) -> Bool {
        let start = position
        guard skip("[:") else { return false }
        let isNegated = skip("^")
        var name = ""
        while let scalar = next, ScalarSet.word.contains(scalar) {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard skip(":]") else {
            position = start
            return false
        }
        guard let ranges = ScalarSet.posix[name] else { throw fault("invalid character class range", from: start) }
        set.formUnion(ScalarSet(ranges, isNegated: isNegated))
        return true
    }
}
