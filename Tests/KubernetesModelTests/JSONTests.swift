import Testing

@testable import KubernetesModel

@Suite struct JSONTests {
    /// What stands before and after the character puts it at every place among the eight bytes that are read at once.
    @Test(
        arguments: [
            ("\"", #"\""#), ("\\", #"\\"#), ("\n", #"\n"#), ("\t", #"\t"#), ("\u{1}", #"\u0001"#),
            ("\u{1F}", #"\u001f"#), (" ", " "), ("!", "!"), ("#", "#"), ("[", "["), ("]", "]"), ("\u{7F}", "\u{7F}"),
            ("é", "é"), ("\u{20AC}", "\u{20AC}"), ("🐦", "🐦"),
        ])
    func escapesAndReadsBack(_ character: String, _ written: String) throws {
        for before in 0..<18 {
            for after in [0, 1, 7, 8, 9] {
                let text = String(repeating: "a", count: before) + character + String(repeating: "b", count: after)
                let encoded = String(decoding: JSON.string(text).encoded(), as: UTF8.self)
                let wanted =
                    "\"" + String(repeating: "a", count: before) + written + String(repeating: "b", count: after) + "\""
                #expect(encoded == wanted)
                #expect(try JSON(decoding: encoded) == .string(text))
            }
        }
    }

    @Test func isIndentedForPeople() {
        let json: JSON = ["b": [1, [:], []], "a": "x\n"]
        #expect(
            json.indented == """
                {
                    "a": "x\\n",
                    "b": [
                        1,
                        {},
                        []
                    ]
                }
                """)
    }

    @Test func refusesControlCharactersWhereverTheyStand() {
        for before in 0..<18 {
            for escape in ["", #"\n"#] {
                let text = "\"" + escape + String(repeating: "a", count: before) + "\u{1F}aaaaaaaaa\""
                #expect(throws: JSONDecodingError.self) { try JSON(decoding: text) }
            }
        }
    }

    @Test(arguments: ["\"", "\"aaaaaaaaaa", #""aaaaaaaaaa\""#, #""\"#])
    func refusesStringsWithoutEnd(_ text: String) {
        #expect(throws: JSONDecodingError.self) { try JSON(decoding: text) }
    }

    @Test(arguments: [
        (#"{"a":1,"b":{"a":1}}"#, []), (#"{"a":1,"a":2}"#, ["a"]),
        (#"{"s":{"l":[{},{"x":{"y":1,"y":[{"z":1,"z":2}]}}]},"s":1}"#, ["s.l[1].x.y[0].z", "s.l[1].x.y", "s"]),
    ])
    func findsWhatComesTwice(text: String, paths: [String]) throws {
        var hasDuplicates = false
        _ = try JSON(decoding: Array(text.utf8), hasDuplicates: &hasDuplicates)
        #expect(hasDuplicates == !paths.isEmpty)
        #expect(JSON.duplicates(in: text.utf8) == paths)
    }

    /// However many there are, and however long their paths, as many are told as upstream tells.
    @Test(arguments: [1, 2000])
    func tellsOnlySoMuchOfWhatComesTwice(length: Int) throws {
        let members = (0..<1000).flatMap { [$0, $0] }.map { #""\#($0)":1"# }.joined(separator: ",")
        let outer = String(repeating: "o", count: length)
        let found = JSON.duplicates(in: #"{"\#(outer)":{\#(members)}}"#.utf8)
        #expect(found == (0..<100).map { "\(outer).\($0)" })
    }

    @Test func aPathIsWrittenOnlySoOften() {
        let outer = String(repeating: "o", count: 1 << 20)
        let pairs = (0..<2000).map { _ in #""a":1"# }.joined(separator: ",")
        #expect(JSON.duplicates(in: #"{"\#(outer)":{\#(pairs)},"b":1,"b":1}"#.utf8) == [outer + ".a"])
    }
}
