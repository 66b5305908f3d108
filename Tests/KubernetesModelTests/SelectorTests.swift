import Testing

@testable import KubernetesModel

@Suite struct SelectorTests {
    @Test(arguments: [
        ("a=b", ["a": "b"], true), ("a==b", ["a": "c"], false), ("a!=b", [:], true), ("a in (b,c)", ["a": "c"], true),
        ("a notin (b, c)", ["a": "c"], false), ("a notin (b)", [:], true), ("a", ["a": ""], true),
        ("!a", ["a": "b"], false),
        ("a,b=1", ["a": "x", "b": "1"], true), ("a>3", ["a": "4"], true), ("a<3", ["a": "x"], false), ("", [:], true),
    ])
    func matchesLabels(text: String, labels: [String: String], wanted: Bool) throws {
        #expect(try LabelSelector(parsing: text).matches(labels) == wanted)
    }

    @Test(arguments: ["a=b,", "a in b", "=a", "a=b c", "a in (b", "-a=b", "a=-b"])
    func refuses(text: String) {
        #expect(throws: Status.self) { try LabelSelector(parsing: text) }
    }

    @Test func absentSelectsNothingAndEmptyEverything() {
        #expect(!LabelSelector(.null).matches([:]))
        #expect(LabelSelector([:] as JSON).matches(["a": "b"]))
    }

    @Test func readsExpressions() {
        let selector = LabelSelector([
            "matchLabels": ["a": "b"], "matchExpressions": [["key": "c", "operator": "NotIn", "values": ["d"]]],
        ])
        #expect(selector.description == "a=b,c notin (d)")
        #expect(selector.matches(["a": "b"]))
        #expect(!selector.matches(["a": "b", "c": "d"]))
    }

    @Test(arguments: [
        ("metadata.name=w", true), ("metadata.name!=w", false), ("status.phase=Running,spec.nodeName=", true),
        ("spec.nodeName!=", false), ("metadata.name=a\\,b", false),
    ])
    func matchesFields(text: String, wanted: Bool) throws {
        let object = Object(["metadata": ["name": "w"], "status": ["phase": "Running"]])
        #expect(try FieldSelector(parsing: text).matches(object) == wanted)
    }
}
