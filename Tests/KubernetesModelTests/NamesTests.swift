import Testing

@testable import KubernetesModel

@Suite struct NamesTests {
    @Test(arguments: [
        ("my-name", true), ("a.b", false), ("-a", false), ("A", false), (String(repeating: "a", count: 64), false),
        ("", false),
    ])
    func knowsLabels(name: String, isLabel: Bool) {
        #expect(Names.label(name).isEmpty == isLabel)
    }

    @Test(arguments: [
        ("app", true), ("example.com/app", true), ("a/b/c", false), ("/a", false), ("App_1.x", true), ("a b", false),
    ])
    func knowsQualifiedNames(name: String, isQualified: Bool) {
        #expect(Names.qualifiedName(name).isEmpty == isQualified)
    }
}
