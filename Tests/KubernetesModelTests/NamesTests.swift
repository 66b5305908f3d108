import Testing

@testable import KubernetesModel

@Suite struct NamesTests {
    /// Which of the syntaxes a text has. A name of 63 bytes is the longest label, one of 253 the longest subdomain.
    private static let a63 = String(repeating: "a", count: 63)
    private static let a253 = String(repeating: "a.", count: 126) + "a"

    static let texts: [(String, [String])] = [
        ("web", ["label", "subdomain", "1035", "qualified", "value", "port", "key", "path"]),
        ("1web", ["label", "subdomain", "qualified", "value", "port", "key", "path"]),
        ("12", ["label", "subdomain", "qualified", "value", "key", "path"]),
        ("a.b", ["subdomain", "qualified", "value", "key", "path"]), ("a..b", ["qualified", "value", "key", "path"]),
        ("-a", ["key", "path"]), ("a-", ["key", "path"]),
        ("a--b", ["label", "subdomain", "1035", "qualified", "value", "key", "path"]),
        ("A_b.c", ["qualified", "value", "key", "path"]), ("_a", ["key", "path"]), ("a b", ["path"]), ("é", ["path"]),
        ("example.com/app", ["qualified"]), ("Example.com/app", []), ("/app", []), ("a/", []), ("a/b/c", []),
        ("", ["value", "path"]), (".", []), ("..", []), ("..a", ["path"]), (".a", ["key", "path"]), ("a%", []),
        (a63, ["label", "subdomain", "1035", "qualified", "value", "key", "path"]),
        (a63 + "a", ["subdomain", "key", "path"]),
        (a253, ["subdomain", "key", "path"]), (a253 + "a", ["path"]),
        (
            String(repeating: "a", count: 15),
            ["label", "subdomain", "1035", "qualified", "value", "port", "key", "path"]
        ),
        (String(repeating: "a", count: 16), ["label", "subdomain", "1035", "qualified", "value", "key", "path"]),
    ]

    @Test(arguments: texts) func knowsSyntaxes(_ text: String, _ wanted: [String]) {
        let syntaxes: [(String, (String) -> [String])] = [
            ("label", Names.label), ("subdomain", Names.subdomain), ("1035", Names.label1035),
            ("qualified", Names.qualifiedName), ("value", Names.labelValue), ("port", Names.portName),
            ("key", Names.configMapKey), ("path", Names.pathSegment),
        ]
        #expect(syntaxes.filter { $0.1(text).isEmpty }.map(\.0) == wanted)
    }

    /// Clients show these texts; some search for them.
    @Test func faultsHaveKubernetesWords() {
        #expect(
            Names.label("A") == [
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
                    + "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation "
                    + "is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            ])
        #expect(Names.label(Self.a63 + "a") == ["must be no more than 63 characters"])
        #expect(Names.qualifiedName("/a") == ["prefix part must be non-empty"])
        #expect(Names.qualifiedName("a/").first == "name part must be non-empty")
        #expect(
            Names.portName("A-") == [
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                "must contain at least one letter (a-z)", "must not begin or end with a hyphen",
            ])
        #expect(Names.portName("a--b") == ["must not contain consecutive hyphens"])
        #expect(Names.configMapKey("..") == ["must not be '..'"])
        #expect(Names.pathSegment("a/%") == ["may not contain '/'", "may not contain '%'"])
    }

    @Test(arguments: [(0, false), (1, true), (65_535, true), (65_536, false), (-1, false)])
    func knowsPortNumbers(_ port: Int, _ isPort: Bool) {
        #expect(Names.portNumber(port).isEmpty == isPort)
    }

    @Test(arguments: [("A", true), ("a.b-c d", true), ("", false), ("a=b", false), ("a\n", false), ("é", false)])
    func knowsEnvironmentVariables(_ name: String, _ isName: Bool) {
        #expect(Names.environmentVariable(name).isEmpty == isName)
    }
}
