import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

@Suite struct PatchingTests {
    static let document: JSON = [
        "metadata": ["labels": ["a": "1"], "finalizers": ["x"]],
        "spec": [
            "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1]],
            "template": [
                "spec": [
                    "containers": [
                        [
                            "name": "a", "image": "1",
                            "env": [["name": "E", "value": "1"], ["name": "F", "value": "2"]],
                        ],
                        ["name": "b", "image": "2"],
                    ]
                ]
            ],
        ],
    ]

    static func merged(_ patch: JSON) throws -> JSON {
        try Patching.strategicMerge(patch, into: document, schema: DecodingTests.info("apps/v1", "Deployment").schema)
    }

    /// Patches of a pod template's spec, and the names of the containers that come of them.
    @Test(
        arguments: [
            // A new element comes before those that the patch leaves alone.
            (["containers": [["name": "c", "image": "3"]]], ["c", "a", "b"]),
            (["containers": [["name": "b", "$patch": "delete"]]], ["a"]),
            (["containers": [["$patch": "replace"], ["name": "z"]]], ["z"]),
            (["$setElementOrder/containers": [["name": "b"], ["name": "a"]]], ["b", "a"]),
            (
                [
                    "$setElementOrder/containers": [["name": "a"], ["name": "c"]],
                    "containers": [["name": "c"], ["name": "b", "$patch": "delete"]],
                ],
                ["a", "c"]
            ),
            (["containers": .null], []),
        ] as [(JSON, [String])])
    func mergesListsByKey(patch: JSON, names: [String]) throws {
        let result = try Self.merged(["spec": ["template": ["spec": patch]]])
        #expect(result["spec"]["template"]["spec"]["containers"].items.compactMap { $0["name"].string } == names)
    }

    @Test func mergesInDepth() throws {
        let patch: JSON = ["containers": [["name": "a", "env": [["name": "E", "value": "9"]]]]]
        let container = try Self.merged(["spec": ["template": ["spec": patch]]])["spec"]["template"]["spec"][
            "containers"][0]
        #expect(container["image"] == "1")
        #expect(container["env"] == [["name": "E", "value": "9"], ["name": "F", "value": "2"]])
    }

    @Test func keepsOnlyRetainedKeys() throws {
        let result = try Self.merged(["spec": ["strategy": ["$retainKeys": ["type"], "type": "Recreate"]]])
        #expect(result["spec"]["strategy"] == ["type": "Recreate"])
    }

    @Test func changesPrimitiveLists() throws {
        #expect(try Self.merged(["metadata": ["finalizers": ["y"]]])["metadata"]["finalizers"] == ["y", "x"])
        let emptied = try Self.merged(["metadata": ["$deleteFromPrimitiveList/finalizers": ["x"]]])
        #expect(emptied["metadata"]["finalizers"] == [])
    }

    @Test func wantsMergeKeys() {
        let error = #expect(throws: Status.self) {
            try Self.merged(["spec": ["template": ["spec": ["containers": [["image": "3"]]]]]])
        }
        #expect(error?.message == "map: {\"image\":\"3\"} does not contain declared merge key: name")
    }

    /// RFC 7386, appendix A.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
    ])
    func mergesJSON(document: String, patch: String, wanted: String) throws {
        #expect(Patching.merge(try JSON(decoding: patch), into: try JSON(decoding: document)).description == wanted)
    }

    @Test(arguments: [
        (#"[{"op":"add","path":"/a/1","value":9}]"#, #"{"a":[1,9,2]}"#),
        (#"[{"op":"add","path":"/a/-","value":9}]"#, #"{"a":[1,2,9]}"#),
        (#"[{"op":"remove","path":"/a/0"}]"#, #"{"a":[2]}"#),
        (#"[{"op":"replace","path":"/a","value":null}]"#, #"{"a":null}"#),
        (#"[{"op":"move","from":"/a/0","path":"/b~1c"}]"#, #"{"a":[2],"b/c":1}"#),
        (
            #"[{"op":"copy","from":"/a","path":"/m~0n"},{"op":"test","path":"/m~0n/0","value":1}]"#,
            #"{"a":[1,2],"m~n":[1,2]}"#
        ),
    ])
    func appliesOperations(patch: String, wanted: String) throws {
        let document: JSON = ["a": [1, 2]]
        #expect(try Patching.jsonPatch(try JSON(decoding: patch), to: document).description == wanted)
    }

    @Test(arguments: [
        #"[{"op":"remove","path":"/x"}]"#, #"[{"op":"replace","path":"/x","value":1}]"#,
        #"[{"op":"test","path":"/a","value":2}]"#,
        #"[{"op":"add","path":"/x/y","value":2}]"#, #"[{"op":"add","path":"/a/01","value":2}]"#,
        #"[{"op":"twist","path":"/a"}]"#, #"[{"op":"move","from":"/x","path":"/a"}]"#,
    ])
    func refusesWhatDoesNotApply(patch: String) {
        let error = #expect(throws: Status.self) {
            try Patching.jsonPatch(try JSON(decoding: patch), to: ["a": [1, 2]])
        }
        #expect(
            error
                == Status(
                    code: 422, reason: "Invalid",
                    message: "the server rejected our request due to an error in our request"))
    }

    /// A kilobyte of operations makes no document of gigabytes, and none that is deeper than its readers' stacks.
    @Test func copiesAreBounded() throws {
        let doubling: [JSON] = (0..<40).map { ["op": "copy", "from": "/a", "path": "/a/\($0)"] }
        let deepening: [JSON] = (1...9).map { round in
            ["op": "copy", "from": "", "path": .string(String(repeating: "/a", count: 1 << round))]
        }
        for operations in [doubling, deepening] {
            let error = #expect(throws: Status.self) {
                try Patching.jsonPatch(.array(operations), to: ["a": ["a": 1]])
            }
            #expect(error?.code == 422)
        }
        #expect(throws: Never.self) { try Patching.jsonPatch(.array(Array(deepening.prefix(7))), to: ["a": ["a": 1]]) }
    }

    @Test func movesDoNotDeepenForEver() throws {
        // The document is no deeper than before, though each move leads as deep as the one before it led.
        let moves: [JSON] = (0..<1000).flatMap { _ -> [JSON] in
            [["op": "move", "from": "/a", "path": "/b/c/d"], ["op": "move", "from": "/b/c/d", "path": "/a"]]
        }
        let document: JSON = ["a": 1, "b": ["c": [:]]]
        #expect(try Patching.jsonPatch(.array(moves), to: document) == document)
    }
}
