import Testing

@testable import APIMachinery

/// Regular expressions of users' schemas.
@Suite struct PatternTests {
    @Test(
        arguments: [
            ("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", ["a", "a-b", "web-1"], ["", "-a", "a-", "A"]),
            ("b", ["abc", "b"], ["", "ac"]), ("", ["", "x"], []), ("^$", [""], ["x"]), ("a|bc|", ["", "zz"], []),
            ("^(a|bc)$", ["a", "bc"], ["b", "ac", "abc"]), ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
            ("^a{2}$", ["aa"], ["a", "aaa"]), ("^a{2,}$", ["aa", "aaaaa"], ["a"]), ("^x{a}$", ["x{a}"], ["x"]),
            ("^a*?b+?c??$", ["b", "aabbc"], ["ac"]), ("^(?:[0-9]{1,3}\\.){3}[0-9]{1,3}$", ["10.0.0.1"], ["10.0.0"]),
            ("^\\d+(\\.\\d+)?(Ki|Mi)?$", ["1", "1.5Mi"], [".5", "1Xi"]), ("^[^/\\s]+$", ["ab"], ["a b", "a/b", ""]),
            ("^[]a-]+$", ["]", "a-"], ["b"]), ("^[\\w.]+@[[:alnum:]]+$", ["a.b@c1"], ["@c", "a b@c"]),
            ("(?i)^abc$", ["ABC", "aBc"], ["abd"]), ("^(?i:a)b$", ["Ab"], ["AB"]), ("(?m)^b$", ["a\nb\nc"], ["abc"]),
            ("^.$", ["é", "a"], ["\n", "ab"]), ("(?s)^.$", ["\n"], []),
            ("\\bfoo\\b", ["a foo b", "foo"], ["afoo", "foob"]),
            ("^\\p{Lu}\\PL$", ["A1", "Ä-"], ["a1", "AB"]), ("^\\x41\\x{42}\\t\\101$", ["AB\tA"], ["AB A"]),
            ("^[\\x00-\\x1f\\d]$", ["\u{1}", "5"], ["a"]), ("^\\Qa.b\\E$", ["a.b"], ["axb"]),
            ("\\Aa\\z", ["a"], ["ab"]),
            ("^(?P<name>a)(?<other>b)$", ["ab"], ["a"]), ("^([a-c]|[^a-z])$", ["b", "1"], ["d"]),
            ("^(a*)*$", ["", "aaa"], ["b"]),
            ("^[a\\D]$", ["a", "b"], ["1"]), ("^(|a)+b$", ["b", "aab"], ["a"]), ("a$|^b", ["xa", "bx"], ["ax", "xb"]),
        ] as [(String, [String], [String])])
    func matches(_ pattern: String, _ matching: [String], _ differing: [String]) throws {
        let expression = try Pattern(pattern)
        for text in matching { #expect(expression.match(text) == .matches, "\(text)") }
        for text in differing { #expect(expression.match(text) == .differs, "\(text)") }
    }

    @Test(arguments: [
        ("(", "missing closing ): `(`"), ("a)", "unexpected ): `a)`"), ("[a", "missing closing ]: `[a`"),
        ("*a", "missing argument to repetition operator: `*a`"), ("a**", "invalid nested repetition operator: `**`"),
        ("a{1001}", "invalid repeat count: `{1001}`"), ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("(?=a)", "invalid or unsupported Perl syntax"), ("(?!a)", "invalid or unsupported Perl syntax"),
        ("(?<=a)", "invalid named capture"), ("(a)\\1", "invalid escape sequence: `\\1`"), ("\\", "trailing backslash"),
        ("[b-a]", "invalid character class range: `b-a]`"), ("\\p{Nope}", "invalid character class range"),
        ("[[:nope:]]", "invalid character class range"), ("\\8", "invalid escape sequence"),
        ("((a{100}){100}){100}", "expression too large"), ("(((|){1000}){1000}){1000}", "expression too large"),
        (String(repeating: "(", count: 100_000), "expression nests too deeply"),
    ]) func refuses(_ pattern: String, _ problem: String) {
        let error = #expect(throws: PatternError.self) { try Pattern(pattern) }
        #expect(
            error?.description.hasPrefix("error parsing regexp: \(problem)") == true, "\(String(describing: error))")
    }

    /// Expressions for which a matcher that tries one way after the other takes longer than the universe lasts.
    @Test(arguments: [
        "^(a+)+$", "^(a|aa)+$", "^(a|a)*$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)(.*)(.*)(.*)[^a!]",
    ])
    func theTimeGrowsWithTheTextAlone(_ pattern: String) throws {
        let expression = try Pattern(pattern)
        let start = ContinuousClock.now
        #expect(expression.match(String(repeating: "a", count: 5_000) + "!") == .differs)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func whatTakesTooLongIsNotTried() throws {
        let expression = try Pattern("(a?){1000}b")
        let start = ContinuousClock.now
        #expect(expression.match(String(repeating: "a", count: 3_000_000)) == .tooCostly)
        #expect(ContinuousClock.now - start < .seconds(60))
    }
}
