import APIClient
import KubernetesModel
import Testing

@testable import APIServer

/// What users write of the host's addresses, which the supervisor binds.
@Suite struct LoadBalancerAddressTests {
    private static let services = "/api/v1/namespaces/default/services"

    private static func service(_ name: String, _ address: String? = nil, type: String = "LoadBalancer") -> JSON {
        var service: JSON = [
            "apiVersion": "v1", "kind": "Service", "metadata": ["name": .string(name)],
            "spec": ["type": .string(type), "ports": [["port": 80]]],
        ]
        if let address { service["spec"]["loadBalancerIP"] = .string(address) }
        return service
    }

    @Test(arguments: [
        ("127.0.0.1", false), ("127.0.0.53", false), ("127.17.0.1", false), ("0.0.0.0", false), ("::1", false),
        ("127.16.3.4", true), ("192.0.2.1", true),
    ]) func aRequestedAddressIsTheClusters(_ address: String, _ isAllowed: Bool) async throws {
        try await TestServer.run { api in
            let (code, json) = try await api.send(.post, Self.services, Self.service("web", address))
            #expect(code == (isAllowed ? 201 : 422), "\(json)")
            guard !isAllowed else { return }
            #expect(
                json["message"].string
                    == "Service \"web\" is invalid: spec.loadBalancerIP: Invalid value: \"\(address)\": must be in this "
                    + "cluster's range of LoadBalancer addresses, 127.16.0.0/16")
        }
    }

    private static func report(_ api: TestRequests, _ name: String, _ ip: String) async throws -> Int {
        let status: JSON = ["status": ["loadBalancer": ["ingress": [["ip": .string(ip)]]]]]
        let target = "\(services)/\(name)/status"
        return try await api.send(.patch, target, status, type: "application/merge-patch+json").code
    }

    @Test func aReportedAddressIsTheClustersAndTheServicesOwn() async throws {
        try await TestServer.run { (api: TestRequests) async throws -> Void in
            for (name, type) in [("a", "LoadBalancer"), ("b", "LoadBalancer"), ("c", "ClusterIP")] {
                let created = try await api.send(.post, Self.services, Self.service(name, type: type))
                #expect(created.code == 201)
            }
            for (name, address, code) in [
                ("a", "127.0.0.1", 422), ("a", "127.17.0.1", 422), ("a", "0.0.0.0", 422), ("a", "localhost", 422),
                ("a", "::ffff:127.0.0.1", 422), ("a", "127.16.0.9", 200),
                // That one has it already.
                ("b", "127.16.0.9", 422), ("b", "127.16.0.10", 200),
                // It is no LoadBalancer.
                ("c", "127.16.0.11", 422),
                // Nothing changes.
                ("a", "127.16.0.9", 200),
            ] {
                #expect(try await Self.report(api, name, address) == code, "\(name) \(address)")
            }
        }
    }

    @Test(arguments: [80, 29_999, 32_768, 65_536]) func nodePortsAreInTheirRange(_ port: Int) async throws {
        try await TestServer.run { api in
            var service = Self.service("web", type: "NodePort")
            service["spec"]["ports"][0]["nodePort"] = JSON(port)
            let (code, json) = try await api.send(.post, Self.services, service)
            #expect(code == 422)
            #expect(json["message"].string?.contains("The range of valid ports is 30000-32767") == true, "\(json)")
        }
    }
}
