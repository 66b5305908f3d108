import Testing

@testable import ImageStore

@Suite struct DockerfileTests {
    @Test func joinsLinesAndDropsComments() throws {
        let text = """
            # escape=`
            # a comment
            ARG A=1
            FROM scratch AS Base
              ENV X=1 `
              # between

              Y=2
            COPY --from=base --chown=1:2 a b
            """
        let file = try Dockerfile(parsing: text, file: "Dockerfile")
        #expect(file.escape == "`")
        #expect(file.globalArguments.map(\.arguments) == ["A=1"])
        #expect(file.stages.map(\.name) == ["base"])
        let instructions = file.stages[0].instructions
        #expect(instructions.map(\.keyword) == ["ENV", "COPY"])
        #expect(instructions.map(\.line) == [5, 9])
        #expect(instructions[0].arguments.split(separator: " ") == ["X=1", "Y=2"])
        #expect(instructions[1].flags.map(\.name) == ["from", "chown"])
        #expect(instructions[1].arguments == "a b")
    }

    @Test(arguments: [
        ("COPY a b", "D:1: COPY: no build stage yet"),
        ("FROM scratch\n\nFOO x", "D:3: FOO: unknown instruction \"FOO\""),
        ("FROM scratch\nCOPY", "D:2: COPY: needs an argument"),
        ("# only a comment", "there is no FROM instruction"),
        ("FROM a b c d", "D:1: FROM: takes IMAGE or IMAGE AS NAME"),
        ("# escape=x\nFROM a", "D:1: # escape: \"x\" is neither"),
        ("FROM a\nCOPY <<EOF /x\nEOF", "D:2: COPY: here-documents"),
    ])
    func namesThePlaceOfAnError(text: String, message: String) {
        let error = #expect(throws: ImageError.self) { try Dockerfile(parsing: text, file: "D") }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        ("$A", "one"), ("${A}b", "oneb"), ("$A-$NONE.", "one-."), ("${NONE:-x y}", "x y"), ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""), ("${A:+yes}", "yes"), ("${NONE+yes}", ""), ("${NONE:-${A}}", "one"), (#"\$A"#, "$A"),
        (#"'$A' "$A""#, "$A one"), (#""a\"b\c""#, #"a"b\c"#), (#"a\ b"#, "a b"), ("$", "$"), ("a$.b", "a$.b"),
    ])
    func expandsVariables(text: String, expanded: String) throws {
        let values = ["A": "one", "EMPTY": ""]
        #expect(try DockerfileWords(escape: "\\") { values[$0] }.expand(text) == expanded)
    }

    @Test(arguments: ["'a", "${A", "${}", "${A%x}", "${NONE:?must be set}"])
    func refusesWrongWords(text: String) {
        #expect(throws: ImageError.self) { try DockerfileWords(escape: "\\") { _ in nil }.expand(text) }
    }

    @Test(arguments: [
        ("A=1 B='two words'", ["A=1", "B=two words"]), ("A the rest  of it", ["A=the rest  of it"]),
        (#"A=a\ b C="x=y""#, ["A=a b", "C=x=y"]),
    ])
    func readsPairs(text: String, pairs: [String]) throws {
        let words = DockerfileWords(escape: "\\") { _ in nil }
        #expect(try words.pairs(text).map { "\($0.name)=\($0.value)" } == pairs)
    }

    @Test(arguments: [
        ("*.txt", "a.txt", true), ("*.txt", "b/a.txt", false), ("**/*.txt", "b/c/a.txt", true),
        ("**/*.txt", "a.txt", true), ("a?c", "abc", true), ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false),
        ("dir/**", "dir/x/y", true), (#"a\*"#, "a*", true), (#"a\*"#, "ab", false), ("[", "[", false),
    ])
    func matchesPaths(pattern: String, path: String, matches: Bool) {
        #expect(PathPattern(pattern).matches(path.split(separator: "/").map(String.init)) == matches)
    }

    /// A pattern and a name that would be tried in more ways than there are atoms.
    @Test(arguments: [
        (String(repeating: "*a", count: 30) + "b", String(repeating: "a", count: 200)),
        (String(repeating: "**/a/", count: 30) + "b", String(repeating: "a/", count: 200)),
    ]) func wildcardsTakeNoLonger(pattern: String, path: String) {
        let start = ContinuousClock.now
        #expect(!PathPattern(pattern).matches(path.split(separator: "/").map(String.init)))
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test(arguments: [
        ("logs/a", true), ("logs/keep/x", false), ("x/tmp", true), ("tmpx", false), ("a.md", true),
        ("README.md", false),
    ])
    func ignoresWhatTheLastRuleSays(path: String, ignored: Bool) {
        let ignore = DockerIgnore("# comment\nlogs\n!logs/keep\n**/tmp\n*.md\n!README.md\n")
        #expect(ignore.ignores(path.split(separator: "/").map(String.init)) == ignored)
    }
}
