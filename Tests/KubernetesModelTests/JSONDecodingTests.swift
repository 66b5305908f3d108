import Testing

@testable import KubernetesModel

/// RFC 8259, and what Kubernetes' decoder does where the standard leaves a choice.
@Suite struct JSONDecodingTests {
    @Test(
        arguments: [
            ("null", .null), (" true ", true), ("\t\r\nfalse", false), ("[]", []), ("{}", [:]), ("0", 0), ("-0", 0),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            // Whole numbers beyond 64 bits are no longer exact.
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1.5", 1.5), ("-1.5e-3", -0.0015),
            ("1E+2", .double(100)), ("1.0", .double(1)), (#""""#, ""),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\udc26""#, "🐦"),
            // Lone halves of a pair become U+FFFD, as in Go.
            (#""\ud83d""#, "\u{FFFD}"), (#""\udc26""#, "\u{FFFD}"), (#""\ud83d\u0041""#, "\u{FFFD}"),
            (#"[1,[2,{"a":[3]}]]"#, [1, [2, ["a": [3]]]]),
            (#"{"a":{"b":null},"c":[null]}"#, ["a": ["b": .null], "c": [.null]]),
            (#"{"a":1,"a":2}"#, ["a": 2]), (#"{"":1}"#, ["": 1]),
        ] as [(String, JSON)])
    func reads(_ text: String, _ value: JSON) throws {
        #expect(try JSON(decoding: text) == value)
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("nul", 0), ("nulL", 0), ("TRUE", 0), ("'a'", 0), ("01", 2), ("-", 1), ("-a", 1), (".5", 0),
        ("+1", 0), ("1e", 2), ("1e400", 5), ("1.2.3", 5), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[1 2]", 4), ("]", 0),
        ("{", 1), (#"{"a""#, 4), (#"{"a":"#, 5), (#"{"a":1"#, 6), (#"{"a":1,}"#, 7), ("{a:1}", 1), ("{1:1}", 1),
        (#"{"a" 1}"#, 5), (#"{"a":1 "b":2}"#, 8), ("1 2", 2), ("{}{}", 2), (#""\x""#, 3), (#""\u12""#, 3),
        (#""\u12g4""#, 5), ("\u{FEFF}1", 0),
    ]) func refuses(_ text: String, _ offset: Int) {
        let error = #expect(throws: JSONDecodingError.self) { try JSON(decoding: text) }
        #expect(error?.offset == offset, "\(error?.description ?? "")")
    }

    /// Deeper than any object, and less deep than a thread's stack.
    @Test func refusesToNestForEver() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSON(decoding: nested(512)) }
        #expect(throws: JSONDecodingError.self) { try JSON(decoding: nested(513)) }
        #expect(throws: JSONDecodingError.self) { try JSON(decoding: nested(1_000_000)) }
    }

    @Test(
        arguments: [
            (1.5, "1.5"), (1e21, "1e+21"), (100, "100"), (-0.0, "0"), (.infinity, "null"), (.nan, "null"),
        ] as [(Double, String)])
    func writesNumbers(_ value: Double, _ text: String) {
        #expect(JSON.double(value).description == text)
    }

    @Test func readsWhatIsNoContiguousMemory() throws {
        #expect(try JSON(decoding: #"{"a":[1]}"#.utf8.lazy.map { $0 }) == ["a": [1]])
    }
}
