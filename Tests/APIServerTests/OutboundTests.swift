import APIClient
import KubernetesModel
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import APIServer

/// Ways by which users' objects would have the API server connect to somewhere, from within the cluster's namespace.
///
/// Webhooks, aggregated API servers and conversion webhooks are stored, and nobody is called yet. Whoever has them called
/// must keep them to addresses that users may reach (`AddressPlan.isReachableForUsers`), and this test to what is then
/// so.
@Suite struct OutboundTests {
    private static func client(_ port: Int) -> JSON {
        ["url": .string("https://127.0.0.1:\(port)/hook"), "caBundle": ""]
    }

    private static func webhook(_ kind: String, _ port: Int) -> JSON {
        [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": .string(kind), "metadata": ["name": "w"],
            "webhooks": [
                [
                    "name": "w.example.com", "clientConfig": client(port), "sideEffects": "None",
                    "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
                    "rules": [["apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"]]],
                ]
            ],
        ]
    }

    @Test func objectsHaveNobodyCalled() async throws {
        let called = Counter()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                called.add()
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await TestServer.run { (api: TestRequests) async throws -> Void in
            let registration = "/apis/admissionregistration.k8s.io/v1"
            for (kind, plural) in [
                ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
                ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
            ] {
                #expect(try await api.send(.post, "\(registration)/\(plural)", Self.webhook(kind, port)).code == 201)
            }
            let service: JSON = [
                "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": ["name": "v1.evil.example.com"],
                "spec": [
                    "group": "evil.example.com", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1,
                    "service": ["name": "kubernetes", "namespace": "default", "port": JSON(port)],
                    "insecureSkipTLSVerify": true,
                ],
            ]
            #expect(try await api.send(.post, "/apis/apiregistration.k8s.io/v1/apiservices", service).code == 201)
            let map: JSON = ["metadata": ["name": "c"], "data": ["k": "v"]]
            #expect(try await api.send(.post, "/api/v1/namespaces/default/configmaps", map).code == 201)
            #expect(try await api.send(.get, "/apis/evil.example.com/v1/things").code == 404)
            #expect(try await api.send(.get, "/apis/evil.example.com/v1").code == 404)
        }
        #expect(called.count == 0)
        try await listener.close()
    }

    private final class Counter: Sendable {
        private let number = Atomic(0)

        func add() { number.add(1, ordering: .relaxed) }
        var count: Int { number.load(ordering: .relaxed) }
    }
}
