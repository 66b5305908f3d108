import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

/// Addresses and ports that users write and nodes program.
@Suite struct AddressValidationTests {
    private static func faults(_ json: JSON) throws -> [String] {
        var json = json
        json["metadata"] = ["name": "s", "namespace": "default"]
        return try ValidationTests.faults(Object(json))
    }

    /// Nodes lead an external address to the Service, whoever had it before: names, the API, other Services, pods.
    @Test(arguments: [
        ("10.96.0.10", "Services (10.96.0.0/16)"), ("10.96.0.1", "Services (10.96.0.0/16)"),
        ("::ffff:10.96.0.10", "Services (10.96.0.0/16)"), ("10.244.1.2", "pods (10.244.0.0/16)"),
        ("172.30.0.1", "nodes (172.30.0.0/16)"), ("172.30.0.2", "nodes (172.30.0.0/16)"),
    ]) func externalAddressesAreNoneOfTheClustersOwn(_ address: String, _ range: String) throws {
        let service: JSON = [
            "apiVersion": "v1", "kind": "Service",
            "spec": ["externalIPs": [.string(address)], "ports": [["port": 53, "protocol": "UDP"]]],
        ]
        #expect(
            try Self.faults(service) == [
                "spec.externalIPs[0]: Invalid value: \"\(address)\": may not be in the range of the cluster's own \(range)"
            ])
    }

    @Test(arguments: ["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "10.96.0.10 ; flush ruleset", ""])
    func externalAddressesAreOfOtherMachines(_ address: String) throws {
        let service: JSON = [
            "apiVersion": "v1", "kind": "Service",
            "spec": ["externalIPs": [.string(address)], "ports": [["port": 80]]],
        ]
        #expect(try Self.faults(service).count == 1)
    }

    @Test(
        arguments: [
            (
                "IPv4", ["2001:db8::1"],
                "endpoints[0].addresses[0]: Invalid value: \"2001:db8::1\": must be a valid IPv4"
            ),
            ("IPv4", ["::ffff:10.0.0.1"], "endpoints[0].addresses[0]: Invalid value"),
            ("IPv4", ["10.0.0.1 ; flush ruleset"], "endpoints[0].addresses[0]: Invalid value"),
            ("IPv6", ["10.0.0.1"], "endpoints[0].addresses[0]: Invalid value: \"10.0.0.1\": must be a valid IPv6"),
            ("IPv6", ["x"], "endpoints[0].addresses[0]: Invalid value: \"x\": must be a valid IPv6 address"),
            ("IPv4", ["127.0.0.1"], "endpoints[0].addresses[0]: Invalid value: \"127.0.0.1\": may not be in the loop"),
            ("IPv4", [], "endpoints[0].addresses: Required value: must contain at least 1 address"),
            ("IPv4", .array(Array(repeating: "10.0.0.1", count: 101)), "endpoints[0].addresses: Too many: 101"),
            ("FQDN", ["a"], "endpoints[0].addresses[0]: Invalid value: \"a\": should be a domain with at least two"),
            ("FQDN", ["a b.c"], "endpoints[0].addresses[0]: Invalid value: \"a b.c\": a lowercase RFC 1123 subdomain"),
            ("Other", ["10.0.0.1"], "addressType: Unsupported value: \"Other\""),
        ] as [(String, JSON, String)])
    func slicesHaveAddressesOfTheirFamily(_ type: String, _ addresses: JSON, _ wanted: String) throws {
        let faults = try Self.faults([
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": .string(type),
            "endpoints": [["addresses": addresses]], "ports": [["name": "http", "port": 80]],
        ])
        #expect(faults.count == 1 && faults.first?.hasPrefix(wanted) == true, "\(faults)")
    }

    @Test(
        arguments: [
            (["port": 0], "ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
            (["port": 65_536], "ports[0].port: Invalid value: 65536"),
            (["port": -1], "ports[0].port: Invalid value: -1"),
            (["port": 80, "protocol": "tcp"], "ports[0].protocol: Unsupported value: \"tcp\""),
            (["port": 80, "name": "a b"], "ports[0].name: Invalid value: \"a b\": a lowercase RFC 1123 label"),
            (["port": 80, "appProtocol": "a b"], "ports[0].appProtocol: Invalid value: \"a b\""),
            (["name": "all"], nil),
        ] as [(JSON, String?)])
    func slicesHavePorts(_ port: JSON, _ wanted: String?) throws {
        let faults = try Self.faults([
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "endpoints": [["addresses": ["10.0.0.1"]]], "ports": [port],
        ])
        #expect(faults.count == (wanted == nil ? 0 : 1) && faults.first?.hasPrefix(wanted ?? "") != false, "\(faults)")
    }

    @Test func slicesAreSoLarge() throws {
        let endpoint: JSON = ["addresses": ["10.0.0.1"], "hostname": "a b", "nodeName": "A"]
        var slice: JSON = [
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "endpoints": .array(Array(repeating: endpoint, count: 1001)),
        ]
        #expect(try Self.faults(slice) == ["endpoints: Too many: 1001: must have at most 1000 items"])
        slice["endpoints"] = [endpoint]
        #expect(
            try Self.faults(slice).map { $0.prefix { $0 != ":" } } == [
                "endpoints[0].hostname", "endpoints[0].nodeName",
            ])
    }

    @Test func endpointsHaveNamedPorts() throws {
        let faults = try Self.faults([
            "apiVersion": "v1", "kind": "Endpoints",
            "subsets": [["addresses": [["ip": "10.0.0.1"]], "ports": [["port": 80], ["port": 81, "name": "b"]]]],
        ])
        #expect(faults == ["subsets[0].ports[0].name: Required value"])
    }

    /// What a pod's status reports becomes endpoints and names.
    @Test(arguments: [
        ("podIP", "10.244.1.2", true), ("podIP", "", true), ("podIP", "10.244.1.2:80", false),
        ("hostIP", "localhost", false),
    ]) func podsReportAddresses(_ field: String, _ value: String, _ isValid: Bool) throws {
        let kind = try Sample.kind("v1", "Pod")
        let old = ValidationTests.pod { _ in }
        var new = old
        new.status = [field: .string(value)]
        let faults = kind.validateUpdate(new, old: old, subresource: "status")
        #expect(faults.map(\.path) == (isValid ? [] : ["status.\(field)"]))
        new.status = ["podIPs": [["ip": .string(value)]]]
        #expect(kind.validateUpdate(new, old: old, subresource: "status").isEmpty == isValid)
    }
}
