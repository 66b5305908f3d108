import APIClient
import KubernetesModel
import NIOCore
import Testing

@testable import APIServer

@Suite struct RequestOptionsTests {
    private static let deletions: [(JSON, DeleteOptions)] = [
        ([:], DeleteOptions()), (["propagationPolicy": "Orphan"], DeleteOptions(propagation: .orphan)),
        (["propagationPolicy": "Foreground"], DeleteOptions(propagation: .foreground)),
        (["orphanDependents": true], DeleteOptions(propagation: .orphan)),
        (["orphanDependents": false], DeleteOptions(propagation: .background)),
        (["gracePeriodSeconds": 0], DeleteOptions(gracePeriodSeconds: 0)),
        (["gracePeriodSeconds": -5], DeleteOptions(gracePeriodSeconds: 1)),
        (["dryRun": ["All"]], DeleteOptions(dryRun: true)),
    ]

    @Test(arguments: deletions)
    func readsHowToDelete(json: JSON, wanted: DeleteOptions) throws {
        #expect(try RequestOptions.deletion(json) == wanted)
        #expect(try RequestOptions.deletion(wanted.json) == wanted)
    }

    private static let queries: [(String, JSON?, DeleteOptions)] = [
        ("orphanDependents=true", nil, DeleteOptions(propagation: .orphan)),
        (
            "gracePeriodSeconds=7&propagationPolicy=Background", nil,
            DeleteOptions(gracePeriodSeconds: 7, propagation: .background)
        ),
        ("uid=u&resourceVersion=5", nil, DeleteOptions(uid: "u", resourceVersion: "5")),
        ("gracePeriodSeconds=7", ["propagationPolicy": "Orphan"], DeleteOptions(propagation: .orphan)),
    ]

    /// Without a body the query counts, else the body alone does.
    @Test(arguments: queries)
    func readsTheQueryOfADeletion(query: String, body: JSON?, wanted: DeleteOptions) throws {
        let request = APIRequest(
            method: .delete, target: RequestTarget("/x?\(query)"), headers: [:],
            body: body.map { ByteBuffer(bytes: $0.encoded()) } ?? ByteBuffer(), user: .anonymous)
        #expect(try RequestOptions.deletion(request) == wanted)
    }

    /// What nobody knows deletes nothing.
    @Test(
        arguments: [
            (
                ["propagationPolicy": "Foo"], 422,
                "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Foo\": supported "
                    + "values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            ),
            (
                ["propagationPolicy": "Orphan", "orphanDependents": false], 422,
                "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Orphan\": "
                    + "orphanDependents and deletionPropagation cannot be both set"
            ),
            (
                ["dryRun": ["All", "some"]], 422,
                "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: []string{\"All\", \"some\"}: "
                    + "supported values: \"All\""
            ),
            (
                ["gracePeriodSeconds": "0"], 400,
                "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: json: cannot unmarshal string "
                    + "into Go struct field DeleteOptions.gracePeriodSeconds of type int64"
            ),
        ] as [(JSON, Int, String)])
    func refusesUnknownOptions(json: JSON, code: Int, message: String) throws {
        let status = try #require(throws: Status.self) { try RequestOptions.deletion(json) }
        #expect(status.code == code)
        #expect(status.message == message)
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
