import APIClient
import HTTPTypes
import APIMachinery
import Kinds
import KubernetesModel
import Testing

@testable import APIServer

/// The one table of subresources, and its two clients.
@Suite struct SubresourceTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private static func create(_ client: any Client) async throws {
        var pod = Object(.pods, namespace: "default", name: "p")
        pod.spec = ["containers": [["name": "c", "image": "i"]]]
        try await client.create(.pods, pod)
    }

    /// What discovery promises is there, and nothing that it does not promise.
    @Test func theCatalogueAndTheTableAgree() async throws {
        try await TestServer.run { api in
            let promised = Set(Catalogue.builtIn.resources.flatMap { $0.subresources.map(\.name) })
            let names = api.server.pipeline.subresources.names
            #expect(names.subtracting(promised).isEmpty)
            #expect(promised.subtracting(names) == ["resize"], "not there yet")
        }
    }

    @Test(
        arguments: [
            (.put, "log", 405), (.delete, "binding", 405), (.get, "eviction", 405), (.post, "status", 405),
            (.get, "scale", 404), (.get, "finalize", 404), (.get, "nothing", 404), (.get, "status", 200),
        ] as [(HTTPRequest.Method, String, Int)])
    func verbsAreTheCatalogues(method: HTTPRequest.Method, name: String, code: Int) async throws {
        try await TestServer.run { api in
            try await Self.create(api.client)
            #expect(try await api.send(method, "\(Self.pods)/p/\(name)").code == code)
        }
    }

    /// As `kubectl get --subresource=scale` asks for it.
    @Test(arguments: ["v1", "v1beta1"]) func aScaleHasColumns(version: String) async throws {
        try await TestServer.run { api in
            var deployment = Object(.deployments, namespace: "default", name: "web")
            deployment.spec = [
                "replicas": 3, "selector": ["matchLabels": ["a": "b"]],
                "template": [
                    "metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i"]]],
                ],
            ]
            try await api.client.create(.deployments, deployment)
            let response = await api.respond(
                .get, "/apis/apps/v1/namespaces/default/deployments/web/scale",
                accept: "application/json;as=Table;v=\(version);g=meta.k8s.io,application/json")
            let table = try JSON(decoding: response.text)
            #expect(table["kind"] == "Table" && table["apiVersion"].string == "meta.k8s.io/\(version)")
            let names = table["columnDefinitions"].items.map { $0["name"].string ?? "" }
            #expect(names == ["Name", "Desired", "Available", "Age"])
            #expect(table["rows"][0]["cells"].items.prefix(3) == ["web", 3, 0])
            #expect(table["rows"][0]["object"]["metadata"]["name"] == "web")
        }
    }

    /// What needs a connection says so; all else is the same in process.
    @Test func theInProcessClientHasWhatNeedsNoConnection() async throws {
        try await TestServer.run { api in
            let client = api.client
            try await Self.create(client)
            let exec = SubresourcePath(of: "p", "exec")
            let refused = try await #require(throws: Status.self) {
                try await client.create(.pods, Object(.null), namespace: "default", subresource: exec)
            }
            #expect(refused.code == 400 && refused.message.hasPrefix("pods/exec needs a connection"))
            let unknown = try await #require(throws: Status.self) {
                try await client.update(.pods, Object(.pods, namespace: "default", name: "p"), subresource: "scale")
            }
            #expect(unknown.code == 404)
            let debug: JSON = ["spec": ["ephemeralContainers": [["name": "d", "image": "i"]]]]
            let debugged = try await client.patch(
                .pods, namespace: "default", name: "p", subresource: "ephemeralcontainers", .strategicMerge(debug))
            #expect(debugged.spec["ephemeralContainers"][0]["name"] == "d")
            var account = Object(.serviceAccounts, namespace: "default", name: "a")
            account = try await client.create(.serviceAccounts, account)
            let token = try await client.create(
                .serviceAccounts, Object(["spec": [:]]), namespace: "default",
                subresource: SubresourcePath(of: "a", "token"))
            #expect(token.kind == "TokenRequest" && token.status["token"].string?.isEmpty == false)
        }
    }
}
