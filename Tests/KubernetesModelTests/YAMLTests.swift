import Testing

@testable import KubernetesModel

/// YAML 1.2's core schema, as Kubernetes reads manifests.
@Suite struct YAMLTests {
    @Test(
        arguments: [
            ("", .null), ("~", .null), ("null", .null), ("true", true), ("False", false), ("yes", "yes"), ("on", "on"),
            ("12", 12), ("-3", -3), ("0x1F", 31), ("0o17", 15), ("017", 17), ("1.5", 1.5), ("1e3", 1000.0),
            (".inf", ".inf"), ("1_000", "1_000"), ("1.2.3", "1.2.3"), ("0x", "0x"), ("'12'", "12"),
            ("\"true\"", "true"),
            ("2026-01-01", "2026-01-01"), ("a: 1\nb: [x, 2]", ["a": 1, "b": ["x", 2]]),
            ("- a\n- b: c", ["a", ["b": "c"]]),
            ("a: |\n  one\n  two\n", ["a": "one\ntwo\n"]), ("a: >-\n  one\n  two\n", ["a": "one two"]),
            ("a: &x {b: 1}\nc: *x", ["a": ["b": 1], "c": ["b": 1]]), ("1: a", ["1": "a"]), ("# only", .null),
        ] as [(String, JSON)])
    func reads(_ text: String, _ value: JSON) throws {
        #expect(try JSON(yaml: text) == value)
    }

    @Test(arguments: ["a: [", "a: b: c", "\tx: 1", "a\n---\nb", "*x"]) func refuses(_ text: String) {
        #expect(throws: (any Error).self) { try JSON(yaml: text) }
    }

    @Test(arguments: [
        ("a: 1\nb: ]", 2, "did not find expected node content"), ("a: 1\na: 2", 2, "key \"a\" already set in map"),
        ("[a]: 1", 1, "invalid map key: only texts can be keys"), ("a\n---\nb", 2, "expected a single document"),
        ("a: *x", 1, "unknown anchor 'x' referenced"), ("&x [*x]", 1, "unknown anchor 'x' referenced"),
        (String(repeating: "[", count: 600), 1, "nesting deeper than 512"),
        (String(repeating: "[", count: 100_000), 1, ""),
    ]) func saysWhereAndWhy(_ text: String, _ line: Int, _ problem: String) {
        let error = #expect(throws: YAMLDecodingError.self) { try JSON(yaml: text) }
        #expect(error?.line == line && error?.problem.hasPrefix(problem) == true, "\(String(describing: error))")
    }

    /// "Billion laughs": a text of less than a kilobyte that stands for a billion values, or hashes them as a key.
    @Test(arguments: ["[%]", "{v: [%]}", "? [%]\n: v", "{*l9 : v}", "{a: 1, ? {k: [%]} : v}"])
    func aliasesAreBounded(_ last: String) {
        var text = "l0: &l0 [lol,lol,lol,lol,lol,lol,lol,lol,lol,lol]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*l\(level - 1)", count: 10).joined(separator: ",")
            text += "l\(level): &l\(level) [\(aliases)]\n"
        }
        text += "last:\n  " + last.replacing("%", with: "*l9,*l9").replacing("\n", with: "\n  ")
        let start = ContinuousClock.now
        let error = #expect(throws: YAMLDecodingError.self) { try JSON(yaml: text) }
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(error?.problem.hasPrefix("document contains excessive aliasing") == true)
    }

    /// Manifests that name a block once and use it in many places stay readable.
    @Test func aliasesInMeasureAreFine() throws {
        let uses = (0..<200).map { "u\($0): *b" }.joined(separator: "\n")
        let json = try JSON(yaml: "b: &b {image: nginx, env: [{name: A, value: '1'}]}\n" + uses)
        #expect(json["u199"]["env"][0]["value"] == "1")
        #expect(try JSON(yaml: "k: &k name\nm: {*k : 1}")["m"]["name"] == 1)
    }

    /// What reads as something else is quoted, also for readers that know dates.
    @Test(arguments: [
        "", "null", "~", "true", "12", "0x1F", "1.5", "2026-01-01", "2026-01-01T00:00:00Z", "- a", "a: b", "#", "*x",
        "&x",
        " a ", "a\nb\n", "\u{1}", "é🐦", "'", "\"", "{", "[", "%", "@", "`", "!", "|", ">", "?", "yes",
    ]) func writesTextsThatReadBack(_ text: String) throws {
        for json in [.string(text), ["key": .string(text)], [.string(text)], [text: 1]] as [JSON] {
            let yaml = try json.yaml
            #expect(try JSON(yaml: yaml) == json, "\(yaml)")
        }
    }

    @Test func writesSortedBlocks() throws {
        let json: JSON = ["b": [1, ["x": true, "a": .null]], "a": 1.5, "c": [:], "d": []]
        #expect(try json.yaml == "a: 1.5\nb:\n- 1\n- a: null\n  x: true\nc: {}\nd: []\n")
        #expect(try ["at": "2026-01-01"].yaml == "at: \"2026-01-01\"\n")
    }
}

extension [String: JSON] {
    fileprivate var yaml: String { get throws { try JSON.object(self).yaml } }
}
