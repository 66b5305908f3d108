import ClusterLayout
import Glibc
import KubernetesModel
import Testing

@testable import Supervisor

/// What the supervisor answers where nothing runs.
@Suite struct SupervisorRequestTests {
    private static func supervisor(_ cluster: TestCluster, nodes count: Int = 2) throws -> Supervisor {
        var configuration = ClusterConfiguration(nodes: [], apiPort: 6443, loadBalancerOctet: 16, nextIndex: 1)
        for _ in 0..<count { _ = try configuration.addNode(shape: NodeShape()) }
        try configuration.save(cluster.paths.configuration)
        return try Supervisor(paths: cluster.paths, logger: TestCluster.quiet)
    }

    @Test func needsACluster() throws {
        let cluster = try TestCluster()
        #expect(throws: SupervisorError.self) { try Supervisor(paths: cluster.paths, logger: TestCluster.quiet) }
    }

    @Test func reportsItsStatus() async throws {
        let cluster = try TestCluster()
        let status = try await Self.supervisor(cluster).answer(["op": "status"]).json
        #expect(status["ready"] == false)
        #expect(status["apiPort"] == 6443)
        #expect(status["nodes"].items.map { $0["name"].string } == ["node-1", "node-2"])
        #expect(status["pid"].int == Int(getpid()))
    }

    /// What cannot be done is refused by name, and the cluster's configuration stays as it is.
    @Test(
        arguments: [
            (["op": "sing"], "unknown request"), ([:], "unknown request"), ("status", "unknown request"),
            (["op": "node-remove", "name": "absent"], "node \"absent\" does not exist; see: martlet node list"),
            (["op": "node-remove"], "node \"\" does not exist"), (["op": "node-stop", "name": 1], "does not exist"),
            (["op": "node-start", "name": "absent"], "does not exist"),
            (["op": "node-add", "name": "node-1"], "node \"node-1\" exists"),
            (["op": "node-add", "name": "No"], "1 to 40"),
            (["op": "node-add", "shape": ["colour": "red"]], "colour"),
            (["op": "bind", "address": "nowhere", "port": 80], "Invalid argument"),
            (["op": "bind", "address": "127.0.0.1", "port": 65_536], "Invalid argument"),
            (["op": "bind", "address": "127.0.0.1"], "Invalid argument"),
        ] as [(JSON, String)]) func refuses(_ request: JSON, _ problem: String) async throws
    {
        let cluster = try TestCluster()
        let supervisor = try Self.supervisor(cluster)
        let before = try cluster.text(cluster.paths.configuration)
        let answer = await supervisor.answer(request)
        #expect(answer.json["error"].string?.contains(problem) == true, "\(answer.json)")
        #expect(answer.descriptor == nil)
        #expect(try cluster.text(cluster.paths.configuration) == before)
    }

    /// The service proxy asks by what Services say, which users write.
    @Test(arguments: [
        ("127.0.0.1", 22), ("127.0.0.1", 29_999), ("127.0.0.1", 32_768), ("127.0.0.1", 0), ("127.17.0.1", 80),
        ("127.0.0.53", 53), ("127.16.0.1", 0), ("0.0.0.0", 30_000), ("192.168.0.1", 30_000), ("10.96.0.10", 53),
    ]) func bindsForServicesAlone(_ address: String, _ port: Int) async throws {
        let cluster = try TestCluster()
        let supervisor = try Self.supervisor(cluster)
        for transport in ["TCP", "UDP"] {
            let answer = await supervisor.answer([
                "op": "bind", "address": .string(address), "port": JSON(port), "transport": .string(transport),
            ])
            #expect(answer.descriptor == nil)
            #expect(answer.json["error"].string?.contains("LoadBalancer addresses are in 127.16.0.0/16") == true)
        }
    }

    /// A Service cannot open anything to the network by itself: the user of the machine has to.
    @Test func bindsWhatIsOpenToTheNetwork() async throws {
        let cluster = try TestCluster()
        var configuration = ClusterConfiguration(nodes: [], apiPort: 6443, loadBalancerOctet: 16, nextIndex: 1)
        _ = try configuration.addNode(shape: NodeShape())
        configuration.listenAddresses = ["192.0.2.7"]
        try configuration.save(cluster.paths.configuration)
        let supervisor = try Supervisor(paths: cluster.paths, logger: TestCluster.quiet)
        for (address, port, isOpen) in [
            ("192.0.2.7", 80, true), ("192.0.2.7", 65_535, true), ("192.0.2.7", 0, false), ("192.0.2.8", 80, false),
        ] {
            let place = HostPorts.Address(address: address, port: port, transport: "TCP")
            #expect(await supervisor.isForServices(place) == isOpen, "\(place)")
        }
        #expect(await supervisor.status()["listenAddresses"] == ["192.0.2.7"])
    }

    @Test func saysWhoHasAPort() async throws {
        let supervisor = try Self.supervisor(try TestCluster())
        // On all addresses, as most programs do.
        let held = try HostPorts.open(.init(address: "0.0.0.0", port: 0, transport: "TCP"))
        let answer = await supervisor.answer([
            "op": "bind", "address": "127.16.3.4", "port": JSON(HostPorts.port(of: held)), "transport": "TCP",
        ])
        let error = try #require(answer.json["error"].string)
        #expect(
            error.hasPrefix("Address already in use, by ") && error.contains("(pid \(getpid())) at 0.0.0.0:"),
            "\(error)")
        _ = consume held
    }

    @Test func bindsAndReleasesWhatServicesHave() async throws {
        let supervisor = try Self.supervisor(try TestCluster())
        for (address, port) in [("127.16.200.7", 8080), ("127.0.0.1", 32_761)] {
            let request: JSON = ["address": .string(address), "port": JSON(port), "transport": "TCP"]
            var bind = request
            bind["op"] = "bind"
            #expect(await supervisor.answer(bind).descriptor != nil)
            var release = request
            release["op"] = "release"
            #expect(await supervisor.answer(release).json == [:])
            #expect(await supervisor.isForServices(HostPorts.Address(address: address, port: port, transport: "TCP")))
            #expect(
                await !supervisor.isForServices(HostPorts.Address(address: address, port: port, transport: "SCTP")))
        }
    }

    @Test func keepsTheLastNode() async throws {
        let cluster = try TestCluster()
        let answer = try await Self.supervisor(cluster, nodes: 1).answer(["op": "node-remove", "name": "node-1"])
        #expect(answer.json["error"].string?.contains("the cluster's only node; add another one first") == true)
    }

    @Test func aNodeThatIsRemovedLeavesNothing() async throws {
        let cluster = try TestCluster()
        let supervisor = try Self.supervisor(cluster)
        try ClusterCertificates(paths: cluster.paths).ensure(apiPort: 6443, nodes: ["node-1", "node-2"])
        try Files.makeDirectory(cluster.paths.node("node-1").directory + "/pods")
        #expect(await supervisor.answer(["op": "node-remove", "name": "node-1"]).json == [:])
        #expect(!cluster.exists(cluster.paths.node("node-1").directory))
        #expect(try !cluster.names(cluster.paths.pki.directory).contains("node-node-1.kubeconfig"))
        #expect(try ClusterConfiguration.load(cluster.paths.configuration)?.nodes.map(\.name) == ["node-2"])
    }

    @Test func aNodeThatIsStoppedStaysSo() async throws {
        let cluster = try TestCluster()
        let supervisor = try Self.supervisor(cluster)
        for _ in 0..<2 { #expect(await supervisor.answer(["op": "node-stop", "name": "node-2"]).json == [:]) }
        #expect(try ClusterConfiguration.load(cluster.paths.configuration)?.nodes.map(\.stopped) == [false, true])
    }

    @Test func asksToEndOnce() async throws {
        let cluster = try TestCluster()
        let supervisor = try Self.supervisor(cluster)
        #expect(await supervisor.answer(["op": "stop", "gracefully": false]).json == [:])
        #expect(await supervisor.stopRequested)
        #expect(await !supervisor.endsGracefully)
        let late = await supervisor.answer(["op": "node-stop", "name": "node-2"])
        #expect(late.json["error"] == "the cluster is stopping")
    }
}
