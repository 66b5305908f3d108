import APIClient
import KubernetesModel
import Testing

@testable import APIServer

@Suite struct RequestOptionsTests {
    /// A policy that nobody knows deletes nothing.
    @Test(
        arguments: [
            (["propagationPolicy": "Orphan"], .orphan), (["orphanDependents": true], .orphan),
            (["propagationPolicy": "Foreground"], .foreground), ([:], nil),
        ] as [(JSON, DeleteOptions.Propagation?)])
    func readsHowToDelete(options: JSON, wanted: DeleteOptions.Propagation?) throws {
        #expect(try RequestOptions.deletion(options).propagation == wanted)
    }

    @Test func refusesUnknownPolicies() throws {
        let status = try #require(throws: Status.self) {
            try RequestOptions.deletion(["propagationPolicy": "Foo"])
        }
        #expect(status.code == 422)
        #expect(
            status.message
                == "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Foo\": supported "
                + "values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"")
    }

    @Test(
        arguments: [
            ("", false, nil), ("resourceVersion=5&resourceVersionMatch=Exact", false, nil),
            ("resourceVersionMatch=Exact", false, "is forbidden unless resourceVersion is provided"),
            ("resourceVersion=0&resourceVersionMatch=Exact", false, "is forbidden for resourceVersion \"0\""),
            ("resourceVersion=5&resourceVersionMatch=Some", false, "Unsupported value: \"Some\""),
            ("sendInitialEvents=true", false, "sendInitialEvents is forbidden for list"),
            ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", true, nil),
            ("sendInitialEvents=true", true, "requires setting resourceVersionMatch to NotOlderThan"),
            ("resourceVersion=5&resourceVersionMatch=NotOlderThan", true, "is forbidden for watch"),
        ] as [(String, Bool, String?)])
    func knowsWhichMomentCanBeListed(query: String, isWatch: Bool, fault: String?) throws {
        guard let fault else { return try RequestOptions.checkList(Query(query), isWatch: isWatch) }
        let status = try #require(throws: Status.self) {
            try RequestOptions.checkList(Query(query), isWatch: isWatch)
        }
        #expect(status.message.contains(fault))
    }
}
