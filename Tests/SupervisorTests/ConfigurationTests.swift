import Addresses
import ClusterLayout
import KubernetesModel
import Testing

@testable import Supervisor

@Suite struct ConfigurationTests {
    private static func configuration(nodes count: Int = 0) throws -> ClusterConfiguration {
        var configuration = ClusterConfiguration(nodes: [], apiPort: 6443, loadBalancerOctet: 16, nextIndex: 1)
        for _ in 0..<count { _ = try configuration.addNode(shape: NodeShape()) }
        return configuration
    }

    @Test func isReadAsItWasSaved() throws {
        let cluster = try TestCluster()
        var saved = try Self.configuration(nodes: 2)
        _ = try saved.addNode(
            name: "big", shape: NodeShape(capacity: ["cpu": "64"], labels: ["a": "b"], zone: "east"))
        let strict: JSON = [
            "hostHide": ["/srv"], "hostShow": ["/root/.cargo"], "allowedUnsafeSysctls": ["net.core.*", "kernel.sem"],
        ]
        _ = try saved.addNode(name: "strict", shape: NodeShape(strict, file: "strict.yaml"))
        saved.nodes[1].stopped = true
        saved.egress = .host
        saved.listenAddresses = ["192.0.2.7"]
        #expect(try ClusterConfiguration.load(cluster.paths.configuration) == nil)
        try saved.save(cluster.paths.configuration)
        #expect(try ClusterConfiguration.load(cluster.paths.configuration) == saved)
    }

    /// A node's addresses follow from its index: one that was removed must not share its with the next.
    @Test func anIndexIsNeverUsedAgain() throws {
        var configuration = try Self.configuration(nodes: 3)
        #expect(configuration.nodes.map(\.name) == ["node-1", "node-2", "node-3"])
        configuration.nodes.removeLast()
        let next = try configuration.addNode(shape: NodeShape())
        #expect(next.index == 4 && next.name == "node-4")
    }

    @Test(arguments: [
        ("", "1 to 40"), ("Node", "1 to 40"), ("-a", "1 to 40"), ("a-", "1 to 40"), ("a.b", "1 to 40"),
        (String(repeating: "a", count: 41), "1 to 40"), ("node-1", "exists"),
    ]) func refusesANodesName(_ name: String, _ problem: String) throws {
        var configuration = try Self.configuration(nodes: 1)
        let before = configuration
        let error = #expect(throws: SupervisorError.self) { try configuration.addNode(name: name, shape: NodeShape()) }
        #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
        #expect(configuration == before)
    }

    @Test func hasAMaxOfNodes() throws {
        var configuration = try Self.configuration()
        configuration.nextIndex = AddressPlan.nodeIndexes.upperBound
        #expect(try configuration.addNode(shape: NodeShape()).index == AddressPlan.nodeIndexes.upperBound)
        #expect(throws: SupervisorError.self) { try configuration.addNode(shape: NodeShape()) }
    }

    /// Each fault of the file is refused by the field's name.
    @Test(
        arguments: [
            ("apiPort", .null, "apiPort is missing"), ("apiPort", 0, "apiPort is no port"),
            ("apiPort", 65_536, "apiPort is no port"), ("loadBalancerOctet", .null, "loadBalancerOctet is missing"),
            ("loadBalancerOctet", 15, "loadBalancerOctet is not from"),
            ("loadBalancerOctet", 251, "loadBalancerOctet is not from"), ("nextIndex", "two", "nextIndex is missing"),
            ("egress", "world", "egress is not one of internet, host, none"),
            ("listenAddresses", ["127.0.0.1"], "listenAddresses[0] is no address to listen at"),
            ("nodes", [], "nodes is missing or empty"), ("nodes", [["index": 1]], "nodes[0] has no name"),
            ("nodes", [["name": "a", "index": 0]], "nodes[0] has no name or no index"),
            ("nodes", [["name": "a", "index": 1, "shape": ["colour": "red"]]], "nodes[0].shape"),
            ("nodes", [["name": "a", "index": 1, "shape": ["hostHide": ["srv"]]]], "hostHide[0]: \"srv\" is no path"),
            ("nodes", [["name": "a", "index": 1, "shape": ["hostShow": ["/a/../etc"]]]], "hostShow[0]"),
            ("nodes", [["name": "a", "index": 1, "shape": ["hostShow": "/"]]], "hostShow: expected a list"),
            (
                "nodes", [["name": "a", "index": 1, "shape": ["allowedUnsafeSysctls": ["kernel.core_pattern"]]]],
                "allowedUnsafeSysctls[0]: \"kernel.core_pattern\" is not known to be namespaced"
            ),
        ] as [(String, JSON, String)]) func refusesADamagedFile(_ field: String, _ value: JSON, _ problem: String)
        throws
    {
        let cluster = try TestCluster()
        var json = try Self.configuration(nodes: 1).json
        json[field] = value
        try cluster.write(String(decoding: json.encoded(), as: UTF8.self), to: cluster.paths.configuration)
        let error = #expect(throws: SupervisorError.self) {
            try ClusterConfiguration.load(cluster.paths.configuration)
        }
        #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
    }

    @Test(arguments: ["a", "a-b", "0", String(repeating: "a", count: 32)])
    func takesAProfile(_ name: String) throws {
        let paths = try ClusterPaths(profile: name)
        #expect(paths.state.hasSuffix("/\(name)") && paths.runtime.hasSuffix("/\(name)"))
        #expect(paths.state != paths.runtime)
    }

    @Test(arguments: ["", "A", "a_b", "a/b", "..", "-a", "a-", "ä", String(repeating: "a", count: 33)])
    func refusesAProfile(_ name: String) {
        #expect(throws: SupervisorError.self) { try ClusterPaths(profile: name) }
    }

    /// A cluster of a version that knew no way out has the default one.
    @Test func anOlderFileHasTheDefaults() throws {
        let cluster = try TestCluster()
        var json = try Self.configuration(nodes: 1).json
        for field in ["egress", "listenAddresses"] { json[field] = .null }
        try cluster.write(String(decoding: json.encoded(), as: UTF8.self), to: cluster.paths.configuration)
        let loaded = try #require(try ClusterConfiguration.load(cluster.paths.configuration))
        #expect(loaded.egress == .internet && loaded.listenAddresses.isEmpty)
    }

    @Test func aNetworkIsChangedWhereSomethingElseIsAskedFor() throws {
        var configuration = try Self.configuration(nodes: 1)
        #expect(try !NetworkRequest().changes(&configuration))
        #expect(try !NetworkRequest(egress: .internet, listenAddresses: ["none"]).changes(&configuration))
        #expect(try NetworkRequest(egress: EgressMode.none).changes(&configuration))
        #expect(configuration.egress == .none)
        configuration.listenAddresses = ["192.0.2.7"]
        #expect(try !NetworkRequest().changes(&configuration))
        #expect(try NetworkRequest(listenAddresses: ["none"]).changes(&configuration))
        #expect(configuration.listenAddresses.isEmpty)
    }

    @Test(arguments: ["0.0.0.0", "127.0.0.1", "127.16.0.1", "224.0.0.1", "::1", "me", "", "192.0.2.300"])
    func refusesWhatNothingListensAt(_ address: String) throws {
        var configuration = try Self.configuration(nodes: 1)
        let error = #expect(throws: SupervisorError.self) {
            _ = try NetworkRequest(listenAddresses: [address]).changes(&configuration)
        }
        #expect(error?.description.hasPrefix("--listen-address \(address): name an IPv4 address") == true)
    }
}
