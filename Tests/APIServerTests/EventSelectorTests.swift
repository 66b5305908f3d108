import APIClient
import KubernetesModel
import Testing

@testable import APIServer

/// Events are selected by the fields of the API that is asked, whichever stored them.
@Suite struct EventSelectorTests {
    private static let core = "/api/v1/namespaces/default/events"
    private static let current = "/apis/events.k8s.io/v1/namespaces/default/events"

    private static func create(_ api: TestRequests) async throws {
        let old: JSON = [
            "metadata": ["name": "old"], "reason": "Pulled", "type": "Normal",
            "involvedObject": ["kind": "Pod", "name": "p", "namespace": "default", "fieldPath": "spec"],
            "source": ["component": "kubelet"],
        ]
        #expect(try await api.send(.post, core, old).code == 201)
        let new: JSON = [
            "metadata": ["name": "new"], "reason": "Moved", "type": "Warning", "action": "Move",
            "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "mover", "reportingInstance": "m-1",
            "regarding": ["kind": "Node", "name": "n", "namespace": "default"],
        ]
        let created = try await api.send(.post, current, new)
        #expect(created.code == 201, "\(created.json)")
    }

    @Test(arguments: [
        (core, "involvedObject.kind=Pod", ["old"]), (core, "involvedObject.name=n", ["new"]),
        (core, "involvedObject.fieldPath=spec", ["old"]), (core, "reason=Moved", ["new"]),
        (core, "reportingComponent=mover", ["new"]), (core, "source=kubelet", ["old"]), (core, "source=mover", ["new"]),
        (core, "type!=Normal", ["new"]), (core, "metadata.name=old", ["old"]),
        (current, "regarding.kind=Pod", ["old"]), (current, "regarding.name=n,reason=Moved", ["new"]),
        (current, "regarding.namespace=default", ["new", "old"]), (current, "reportingController=mover", ["new"]),
        (current, "reportingController!=mover", ["old"]), (current, "type=Normal", ["old"]),
        (current, "metadata.name=new", ["new"]),
    ]) func selectsByTheFieldsOfItsOwn(path: String, selector: String, wanted: [String]) async throws {
        try await TestServer.run { api in
            try await Self.create(api)
            let query = selector.replacing("=", with: "%3D").replacing("!", with: "%21")
            let (code, json) = try await api.send(.get, "\(path)?fieldSelector=\(query)")
            #expect(code == 200, "\(json)")
            #expect(json["items"].items.compactMap { $0["metadata"]["name"].string }.sorted() == wanted)
        }
    }

    @Test(arguments: [
        (core, "regarding.kind"), (core, "reportingController"), (current, "involvedObject.kind"), (current, "source"),
    ])
    func refusesTheFieldsOfTheOther(path: String, field: String) async throws {
        try await TestServer.run { api in
            let status = try await api.refusal(.get, "\(path)?fieldSelector=\(field)%3Dx")
            #expect(status == .badRequest("field label not supported: \(field)"))
        }
    }
}
