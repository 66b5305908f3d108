import KubernetesModel
import Testing

@testable import Supervisor

/// Where in a text of flow style an entry goes, and what goes with it when it is removed.
@Suite struct KubeconfigTextTests {
    private static let entry: JSON = ["name": "x"]
    private static let ours = #"{"name":"x"}"#

    static let additions: [(before: String, after: String)] = [
        ("clusters: [{name: a}]\n", "clusters: [{name: a}, \(ours)]\n"),
        ("clusters: [ {name: a}, ] # c\n", "clusters: [ {name: a}, \(ours), ] # c\n"),
        ("clusters: [ ]\n", "clusters: [\(ours) ]\n"),
        ("clusters: [ # none\n]\n", "clusters: [\(ours) # none\n]\n"),
        ("clusters: [\n    {name: a} # a\n]\n", "clusters: [\n    {name: a}, # a\n    \(ours)\n]\n"),
        ("clusters: [\n    {name: a}, # a\n  ]\n", "clusters: [\n    {name: a}, # a\n    \(ours),\n  ]\n"),
        ("clusters: [{name: a},\n  {name: b}]\n", "clusters: [{name: a},\n  {name: b}, \(ours)]\n"),
        ("clusters:\n  [{name: a}]\n", "clusters:\n  [{name: a}, \(ours)]\n"),
        (#"{"clusters":[{"name":"a"}]}"#, #"{"clusters":[{"name":"a"}, \#(ours)]}"#),
        (
            "{\n  \"clusters\": [\n    {\n      \"name\": \"a\"\n    }\n  ]\n}\n",
            "{\n  \"clusters\": [\n    {\n      \"name\": \"a\"\n    },\n    \(ours)\n  ]\n}\n"
        ),
        ("# c\n--- {clusters: [ {name: a} ]}\n", "# c\n--- {clusters: [ {name: a}, \(ours) ]}\n"),
    ]

    @Test(arguments: additions)
    func adds(_ before: String, _ after: String) throws {
        var text = try KubeconfigText(before)
        try text.edit([.set(Self.entry, list: "clusters")])
        #expect(text.text == after)
        try text.edit([.set(["name": "x", "cluster": ["server": "]"]], list: "clusters")])
        #expect(text.text == after.replacing(Self.ours, with: #"{"cluster":{"server":"]"},"name":"x"}"#))
        try text.edit([.remove("x", list: "clusters")])
        #expect(text.text == before)
    }

    /// Where the user moved an entry, or wrote it anew.
    static let removals: [(before: String, after: String)] = [
        ("clusters: [{name: x}, {name: a}]\n", "clusters: [ {name: a}]\n"),
        ("clusters: [{name: a}, {name: x} , {name: b}]\n", "clusters: [{name: a},  {name: b}]\n"),
        ("clusters: [\n  {name: x},\n  {name: a} # a\n]\n", "clusters: [\n  {name: a} # a\n]\n"),
        ("clusters: [\n  {name: a}, # a\n  {name: x} ]\n", "clusters: [\n  {name: a} # a\n ]\n"),
        ("clusters: [{name: a}, # a\n  {\n  name: x\n  }\n]\n", "clusters: [{name: a} # a\n]\n"),
        ("{clusters: [{name: x}]}\n", "{clusters: []}\n"),
    ]

    @Test(arguments: removals)
    func removes(_ before: String, _ after: String) throws {
        var text = try KubeconfigText(before)
        try text.edit([.remove("x", list: "clusters")])
        #expect(text.text == after)
    }

    static let fields: [(before: String, after: String)] = [
        (#"{"current-context":"a\"]","x":1}"#, #"{"current-context":"new","x":1}"#),
        ("{current-context: a b # c\n, x: 1}\n", "{current-context: \"new\" # c\n, x: 1}\n"),
        ("{x: 1}\n", "{x: 1, \"current-context\": \"new\"}\n"),
        ("clusters: [{name: a}]\ncurrent-context: a", "clusters: [{name: a}]\ncurrent-context: new"),
    ]

    @Test(arguments: fields)
    func setsAField(_ before: String, _ after: String) throws {
        var text = try KubeconfigText(before)
        try text.edit([.field("current-context", "new")])
        #expect(text.text == after)
    }
}
