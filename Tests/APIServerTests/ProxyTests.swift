import APIClient
import Addresses
import HTTPTypes
import KubernetesModel
import Testing

@testable import APIServer

/// Where `proxy` subresources lead: what objects say of addresses and ports is what their writers say.
@Suite struct ProxyTests {
    @Test(
        arguments: [
            ("p", "", "p", ""), ("p:80", "", "p", "80"), ("https:p:443", "https", "p", "443"),
            ("http:p:", "http", "p", ""),
            (":p:80", "", "p", "80"), ("p:web", "", "p", "web"),
        ])
    func targetsAreRead(_ text: String, _ scheme: String, _ name: String, _ port: String) throws {
        let target = try ProxyTarget(text, "pod")
        #expect(target.scheme == scheme && target.name == name && target.port == port)
    }

    /// The text of a port would become a part of the address.
    @Test(arguments: [
        "p:80@172.30.0.1", "p:80/..", "p:@127.0.0.1", "p:6443#", "p:80?x", "p:0", "p:65536", "p:-1", "p: 80", "p:８０",
        "p:99999999999999999999", "ftp:p:80", "a:b:c:d", ":80", "", "http::80", "p:a.b",
    ]) func otherTextsAreNoTargets(_ text: String) {
        let error = #expect(throws: Status.self) { try ProxyTarget(text, "pod") }
        #expect(error?.code == 400 && error?.message == "invalid pod request \"\(text)\"")
    }

    private static func pod(_ ip: String, hostNetwork: Bool = false) -> Pod {
        var pod = Object(.pods, namespace: "default", name: "p")
        pod.spec = ["nodeName": "node-1", "hostNetwork": .bool(hostNetwork)]
        pod.status = ["podIP": .string(ip)]
        return Pod(pod)
    }

    private static func node(_ network: String) -> Node {
        var node = Object(.nodes, name: "node-1")
        node.spec = ["podCIDR": .string(network)]
        return Node(node)
    }

    @Test(
        arguments: [
            ("10.244.1.7", false, "10.244.1.0/24", true), ("172.30.0.2", true, "10.244.1.0/24", true),
            ("172.30.0.2", false, "10.244.1.0/24", false), ("10.244.2.7", false, "10.244.1.0/24", false),
            ("127.0.0.1", false, "10.244.1.0/24", false), ("172.30.0.1", true, "10.244.1.0/24", false),
            ("10.96.0.1", false, "10.244.1.0/24", false), ("10.96.0.10", true, "10.244.1.0/24", false),
            ("169.254.169.254", false, "10.244.1.0/24", false), ("::1", false, "10.244.1.0/24", false),
            ("::ffff:127.0.0.1", false, "10.244.1.0/24", false), ("localhost", false, "10.244.1.0/24", false),
            ("10.244.1.7:6443@127.0.0.1", false, "10.244.1.0/24", false), ("127.0.0.1", false, "127.0.0.0/8", false),
            ("172.30.0.1", false, "172.30.0.0/24", false), ("10.244.1.7", false, "0.0.0.0/0", false),
        ])
    func aPodIsReachedAtAnAddressOfItsNode(
        _ ip: String, _ hostNetwork: Bool, _ network: String, _ isAllowed: Bool
    ) throws {
        let pod = Self.pod(ip, hostNetwork: hostNetwork)
        guard !isAllowed else {
            #expect(try ProxyAddress.of(pod: pod, node: Self.node(network), port: 80).description == "\(ip):80")
            return
        }
        let error = #expect(throws: Status.self) { try ProxyAddress.of(pod: pod, node: Self.node(network), port: 80) }
        #expect(error?.message == "address not allowed")
        #expect(throws: Status.self) { try ProxyAddress.of(pod: pod, node: nil, port: 80) }
    }

    @Test(arguments: [
        ("10.244.1.7", true, false), ("172.30.0.2", true, true), ("172.30.0.1", false, false),
        ("10.96.0.1", false, false), ("10.96.0.10", false, false), ("127.0.0.1", false, false),
        ("192.0.2.1", false, false), ("169.254.169.254", false, false), ("0.0.0.0", false, false),
    ]) func endpointsAndNodesAreReachedWithinTheCluster(_ address: String, _ asEndpoint: Bool, _ asNode: Bool) {
        #expect((try? ProxyAddress.of(endpoint: address, port: 80)) != nil || !asEndpoint)
        #expect((try? ProxyAddress.of(endpoint: address, port: 80)) == nil || asEndpoint)
        #expect(((try? ProxyAddress.of(node: address, port: 80)) != nil) == asNode)
        #expect((try? ProxyAddress.of(endpoint: address, port: 0)) == nil)
    }

    /// The whole way: objects that point at what serves the cluster itself lead nowhere.
    @Test func objectsLeadToNothingOfTheControlPlane() async throws {
        try await TestServer.run { api in
            let port = api.port
            let namespace = "/api/v1/namespaces/default"
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec = [
                "nodeName": "node-1", "containers": [["name": "c", "image": "i", "ports": [["containerPort": 6443]]]],
            ]
            try await api.client.create(.pods, pod)
            var node = Object(.nodes, name: "node-1")
            node.spec = ["podCIDR": "127.0.0.0/24"]
            node.status = ["addresses": [["type": "InternalIP", "address": "127.0.0.1"]]]
            try await api.client.create(.nodes, node)
            _ = try await api.send(
                .patch, "/api/v1/nodes/node-1/status",
                ["status": ["addresses": [["type": "InternalIP", "address": "127.0.0.1"]]]],
                type: "application/merge-patch+json")
            let merge = "application/merge-patch+json"
            #expect(
                try await api.send(
                    .patch, "\(namespace)/pods/p/status", ["status": ["podIP": "127.0.0.1"]], type: merge
                )
                .code == 200)
            let body: JSON = [
                "metadata": ["name": "s"],
                "subsets": [["addresses": [["ip": "172.30.0.1"]], "ports": [["port": 6443]]]],
            ]
            #expect(try await api.send(.post, "\(namespace)/endpoints", body).code == 201)
            let service: JSON = ["metadata": ["name": "s"], "spec": ["ports": [["port": 80]]]]
            #expect(try await api.send(.post, "\(namespace)/services", service).code == 201)
            for path in [
                "\(namespace)/pods/https:p:\(port)/proxy/version", "\(namespace)/pods/p/proxy/version",
                "\(namespace)/services/https:s:80/proxy/version", "/api/v1/nodes/https:node-1:\(port)/proxy/version",
            ] {
                let (code, json) = try await api.send(.get, path)
                #expect(code == 400 && json["message"] == "address not allowed", "\(path): \(json)")
            }
        }
    }

    /// What says who the user is, is for the API server alone.
    @Test(arguments: [
        ("authorization", false), ("impersonate-user", false), ("x-remote-user", false), ("host", false),
        ("content-length", false), ("content-type", true), ("accept", true), ("x-request-id", true),
    ]) func credentialsAreNotForwarded(_ name: String, _ isForwarded: Bool) {
        #expect(ReverseProxy.isForwarded(name) == isForwarded)
    }
}
