import Addresses
import Glibc
import KubernetesModel
import Linux
import TestSupport
import Testing

@testable import Networking

/// A LoadBalancer Service at the host's address of it, as pods and programs of a node see it.
@Suite(.enabled(if: TestNamespace.isPossible, "needs root"), .serialized, .timeLimit(.minutes(2)))
struct LoadBalancerWithinTests {
    private typealias Lab = ServiceRulesTests.Lab

    private static let address = "127.16.0.5"

    private static func service(_ port: Int, _ transport: String) -> Object {
        var service = makeService(
            transport.lowercased(), clusterIP: "10.96.1.\(port)", port: port, transport: transport,
            ["type": "LoadBalancer"])
        service["status"] = ["loadBalancer": ["ingress": [["ip": .string(address)]]]]
        return service
    }

    /// Leads a pod to the addresses; once more, as an agent does that is started again.
    private static func lead(_ namespace: TestNamespace, via gateway: String, from source: String) throws {
        for _ in 1...2 {
            try LoopbackDetour.make(
                of: AddressPlan.loadBalancers(octet: 16), as: AddressPlan.loadBalancersWithin,
                via: try #require(IPv4Address(gateway)), from: try #require(IPv4Address(source)),
                in: namespace.descriptor)
        }
    }

    private static func withLab(_ body: (Lab) async throws -> Void) async throws {
        let lab = try await Lab.make(["10.244.1.2", "10.244.2.2", "10.244.1.9"])
        let endpoints: [String: EndpointState] = ["10.244.1.2": .ready, "10.244.2.2": .ready]
        for (port, transport) in [(80, "TCP"), (53, "UDP")] {
            lab.client.put(.services, service(port, transport))
            lab.client.put(.endpointSlices, makeSlice(transport.lowercased(), endpoints, transport: transport))
        }
        try await blocking {
            for address in ["10.244.1.2", "10.244.1.9"] {
                try lead(try #require(lab.pods[address]), via: "10.244.1.1", from: address)
            }
            try lead(lab.nodes[0], via: "172.30.0.1", from: "172.30.0.2")
        }
        try await lab.run(body)
    }

    @Test func podsAndNodesReachIt() async throws {
        try await Self.withLab { lab in
            let pod = try #require(lab.pods["10.244.1.9"])
            try await blocking {
                for (client, source) in [(pod, "10.244.1.9"), (lab.nodes[0], "172.30.0.2")] {
                    let listeners = try lab.listen()
                    for _ in 0..<10 {
                        let connection = try client.connect(Self.address, 80)
                        #expect(try Self.serve(listeners, connection) == source)
                    }
                }
            }
        }
    }

    @Test func aPodBehindItReachesItself() async throws {
        try await Self.withLab { lab in
            lab.client.put(.endpointSlices, makeSlice("tcp", ["10.244.1.2": .ready]))
            let pod = try #require(lab.pods["10.244.1.2"])
            let listeners = try await blocking { ["10.244.1.2": try pod.listen("0.0.0.0", 8080)] }
            try await eventually("its endpoint is the pod alone") {
                try await blocking { try Self.serve(listeners, try pod.connect(Self.address, 80)) == "10.244.1.1" }
            }
        }
    }

    /// A program that is connected hears only whom it talks to.
    @Test func datagramsComeFromTheAddressToWhichTheyWent() async throws {
        try await Self.withLab { lab in
            try await blocking {
                let client = try #require(lab.pods["10.244.1.9"]).connect(Self.address, 53, type: SOCK_DGRAM)
                let servers = try lab.pods.filter { $0.key != "10.244.1.9" }.mapValues {
                    try $0.listen("0.0.0.0", 8080, type: SOCK_DGRAM)
                }
                try client.send("hello")
                let server = try #require(try Self.ready(servers))
                try server.answerDatagram()
                #expect(try client.receive() == "hello")
            }
        }
    }

    @Test func whatNobodyServesIsRefused() async throws {
        try await Self.withLab { lab in
            try await blocking {
                let pod = try #require(lab.pods["10.244.1.9"])
                for (address, port) in [(Self.address, 81), ("127.16.200.1", 80)] {
                    #expect(throws: TestSocket.Failure(errno: ECONNREFUSED)) { try pod.connect(address, port) }
                }
            }
        }
    }

    @Test func theRestOfTheLoopbackStaysThePodsOwn() async throws {
        try await Self.withLab { lab in
            try await blocking {
                let pod = try #require(lab.pods["10.244.1.9"])
                for address in ["127.0.0.1", "127.15.0.1", "127.17.0.1"] {
                    let listener = try pod.listen(address, 80)
                    let connection = try pod.connect(address, 80)
                    let accepted = try listener.accept()
                    try accepted.socket.send("own")
                    #expect(try connection.receive() == "own")
                }
            }
        }
    }

    /// Whoever could send from the address that stands for it on the way would seem to be on its loopback.
    @Test func noPodSpeaksFromTheLoopbackOfAnother() async throws {
        try await Self.withLab { lab in
            try await blocking {
                let victim = try #require(lab.pods["10.244.1.9"])
                let attacker = try #require(lab.pods["10.244.2.2"])
                let inbox = try victim.listen("0.0.0.0", 9000, type: SOCK_DGRAM)
                var route = try RouteSocket(namespace: attacker.descriptor)
                let loopback = try #require(try route.index(of: "lo"))
                let source = AddressPlan.within(try #require(IPv4Address(Self.address)))
                try route.perform([.addAddress(source, prefix: 32, to: loopback)])
                for (address, text) in [(source.description, "forged"), ("10.244.2.2", "true")] {
                    let socket = try TestSocket(attacker, SOCK_DGRAM)
                    try socket.bind(address, 0)
                    try socket.connect("10.244.1.9", 9000)
                    try socket.send(text)
                }
                #expect(try inbox.receive() == "true")
            }
        }
    }

    /// Has the listener that a connection came to answer it.
    ///
    /// - Returns: the client's address.
    private static func serve(_ listeners: [String: TestSocket], _ connection: TestSocket) throws -> String {
        let accepted = try #require(try ready(listeners)).accept()
        try accepted.socket.send("hello")
        #expect(try connection.receive() == "hello")
        return accepted.client
    }

    /// The first of the sockets at which there is something.
    private static func ready(_ sockets: [String: TestSocket]) throws -> TestSocket? {
        let all = Array(sockets.values)
        var polls = all.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        try #require(poll(&polls, nfds_t(polls.count), 10_000) > 0)
        return zip(all, polls).first { $1.revents != 0 }?.0
    }
}
