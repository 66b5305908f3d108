import APIClient
import KubernetesModel
import Testing

@testable import APIServer

/// What a write through `status` changes besides the status.
@Suite struct StatusMetadataTests {
    private static let merge = "application/merge-patch+json"
    private static let template: JSON = [
        "metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i"]]],
    ]

    struct Case: Sendable {
        let path: String
        let spec: JSON
        var part = "status"
        /// Which of `annotations`, `labels` and `ownerReferences` are changed.
        let changes: [String]
    }

    @Test(arguments: [
        Case(
            path: "/api/v1/namespaces/default/services", spec: ["ports": [["port": 80]]],
            changes: ["annotations", "labels", "ownerReferences"]),
        Case(
            path: "/apis/apps/v1/namespaces/default/replicasets",
            spec: ["selector": ["matchLabels": ["a": "b"]], "template": template],
            changes: ["annotations", "labels", "ownerReferences"]),
        Case(
            path: "/apis/apps/v1/namespaces/default/deployments",
            spec: ["selector": ["matchLabels": ["a": "b"]], "template": template],
            changes: ["annotations", "ownerReferences"]),
        Case(
            path: "/api/v1/namespaces/default/pods", spec: ["containers": [["name": "c", "image": "i"]]],
            changes: ["annotations", "labels"]),
        Case(
            path: "/apis/certificates.k8s.io/v1/certificatesigningrequests",
            spec: ["request": "eA==", "signerName": "a/b", "usages": ["client auth"]], part: "approval",
            changes: ["annotations", "labels", "ownerReferences"]),
        Case(
            path: "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
            spec: ["priorityLevelConfiguration": ["name": "p"]], changes: []),
    ])
    func metadataIsTheKinds(_ one: Case) async throws {
        try await TestServer.run { api in
            let body: JSON = ["metadata": ["name": "x", "labels": ["old": "1"]], "spec": one.spec]
            let created = try await api.send(.post, one.path, body)
            #expect(created.code == 201, "\(created.json)")
            let patch: JSON = [
                "metadata": [
                    "labels": ["new": "1"], "annotations": ["new": "1"], "generateName": "other", "generation": 99,
                    "ownerReferences": [["apiVersion": "v1", "kind": "Pod", "name": "o", "uid": "u"]],
                ],
                "spec": ["paused": true],
                "status": ["conditions": [["type": "Approved", "status": "True", "reason": "r", "message": "m"]]],
            ]
            let (code, json) = try await api.send(.patch, "\(one.path)/x/\(one.part)", patch, type: Self.merge)
            #expect(code == 200, "\(json)")
            let metadata = json["metadata"]
            #expect((metadata["labels"]["new"] == "1") == one.changes.contains("labels"))
            #expect(metadata["labels"]["old"] == "1")
            #expect((metadata["annotations"]["new"] == "1") == one.changes.contains("annotations"))
            #expect((metadata["ownerReferences"][0]["name"] == "o") == one.changes.contains("ownerReferences"))
            for field in ["generateName", "generation", "uid", "creationTimestamp"] {
                #expect(metadata[field] == created.json["metadata"][field], "\(field)")
            }
            #expect(json["spec"] == created.json["spec"])
            #expect(json["status"]["conditions"][0]["type"] == "Approved")
        }
    }

    @Test func whatIsChangedIsValidated() async throws {
        try await TestServer.run { api in
            let path = "/api/v1/namespaces/default/services"
            let service: JSON = ["metadata": ["name": "x"], "spec": ["ports": [["port": 80]]]]
            #expect(try await api.send(.post, path, service).code == 201)
            let (code, json) = try await api.send(
                .patch, "\(path)/x/status", ["metadata": ["labels": ["a b": "c"]]], type: Self.merge)
            #expect(code == 422 && json["message"].string?.contains("metadata.labels") == true, "\(json)")
        }
    }
}
