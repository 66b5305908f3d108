import APIClient
import Addresses
import Glibc
import KubernetesModel
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Networking

@Suite(.enabled(if: TestNamespace.isPossible, "needs root"), .serialized, .timeLimit(.minutes(2)))
struct ServiceRulesTests {
    /// Two nodes with pods, the first with Service rules.
    final class Lab: Sendable {
        let cluster: TestNamespace
        let nodes: [TestNamespace]
        let pods: [String: TestNamespace]
        let client = TestClient()

        static func make(_ addresses: [String]) async throws -> Lab { try await blocking { try Lab(addresses) } }

        /// - Parameter addresses: the pods'; the third number is the node, 1 or 2.
        private init(_ addresses: [String]) throws {
            cluster = try TestNamespace()
            let network = ClusterNetwork(namespace: cluster.descriptor)
            try network.setUp()
            let nodes = [try TestNamespace(), try TestNamespace()]
            for (index, node) in nodes.enumerated() { try network.addNode(index + 1, namespace: node.descriptor) }
            var pods: [String: TestNamespace] = [:]
            for address in addresses {
                let numbers = address.split(separator: ".")
                let node = try #require(Int(numbers[2]))
                let pod = try TestNamespace()
                try pod.join(
                    node: nodes[node - 1], address: address, gateway: "10.244.\(node).1", name: "pod\(numbers[3])")
                pods[address] = pod
            }
            self.nodes = nodes
            self.pods = pods
        }

        /// Runs the rules of node 1 around `body`.
        func run(_ body: (Lab) async throws -> Void) async throws {
            let informers = SharedInformers(client)
            let rules = try ServiceRules(
                informers: informers, node: "node-1", loadBalancers: AddressPlan.loadBalancers(octet: 16),
                namespace: nodes[0].descriptor)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (ready, signal) = AsyncStream.makeStream(of: Void.self)
                group.addTask { await informers.run() }
                group.addTask { await rules.run { signal.finish() } }
                group.addTask {
                    try await Task.sleep(for: .seconds(60))
                    signal.yield()
                }
                defer { group.cancelAll() }
                for await _ in ready { throw TestSocket.Failure(errno: ETIMEDOUT) }
                try await body(self)
            }
        }

        func listen(_ port: Int = 8080) throws -> [String: TestSocket] {
            try pods.mapValues { try $0.listen("0.0.0.0", port) }
        }
    }

    /// Which listener gets a connection from `client` to `address`, and from whom.
    private func answer(
        from client: TestNamespace, to address: String, _ listeners: [String: TestSocket], port: Int = 80
    ) async throws -> (server: String, client: String) {
        try await blocking { try Self.answer(from: client, to: address, listeners, port: port) }
    }

    private static func answer(
        from client: TestNamespace, to address: String, _ listeners: [String: TestSocket], port: Int
    ) throws -> (server: String, client: String) {
        let connection = try client.connect(address, port)
        let names = listeners.keys.sorted()
        var polls = names.map { pollfd(fd: listeners[$0]?.descriptor ?? -1, events: Int16(POLLIN), revents: 0) }
        try #require(poll(&polls, nfds_t(polls.count), 10_000) > 0)
        let name = try #require(zip(names, polls).first { $1.revents != 0 }?.0)
        let accepted = try #require(listeners[name]).accept()
        try accepted.socket.send("from \(name)")
        #expect(try connection.receive() == "from \(name)")
        return (name, accepted.client)
    }

    private func refusal(_ body: @escaping @Sendable () throws -> TestSocket) async -> Int32 {
        do {
            _ = try await blocking(body)
            return 0
        } catch let failure as TestSocket.Failure {
            return failure.errno
        } catch { return -1 }
    }

    @Test func aClusterAddressLeadsToEveryReadyEndpoint() async throws {
        let lab = try await Lab.make(["10.244.1.2", "10.244.1.3", "10.244.2.2", "10.244.1.9"])
        lab.client.put(.services, makeService("web", clusterIP: "10.96.1.1"))
        lab.client.put(
            .endpointSlices,
            makeSlice("web", ["10.244.1.2": .ready, "10.244.2.2": .ready, "10.244.1.3": .notReady]))
        try await lab.run { lab in
            let listeners = try await blocking { try lab.listen() }
            let pod = try #require(lab.pods["10.244.1.9"])
            var servers: Set<String> = []
            for _ in 0..<40 {
                let answer = try await answer(from: pod, to: "10.96.1.1", listeners)
                servers.insert(answer.server)
                #expect(answer.client == "10.244.1.9")
            }
            #expect(servers == ["10.244.1.2", "10.244.2.2"])
            // A process of the node itself.
            _ = try await answer(from: lab.nodes[0], to: "10.96.1.1", listeners)
        }
    }

    /// Whatever a store has, be it by a hand of its own: what cannot be programmed holds up nothing else.
    @Test func oneBadEntryHoldsUpNoOther() async throws {
        let lab = try await Lab.make(["10.244.1.2", "10.244.1.9"])
        lab.client.put(.services, makeService("web", clusterIP: "10.96.1.1"))
        lab.client.put(.services, makeService("mixed", clusterIP: "10.96.1.2"))
        var mixed = makeSlice("mixed", ["10.244.1.2": .ready])
        mixed["endpoints"].append(["addresses": ["2001:db8::1"]])
        mixed["endpoints"].append(["addresses": ["10.244.1.300 ; flush ruleset"]])
        lab.client.put(.endpointSlices, mixed)
        // The kernel has no such name for a chain, and refuses all that comes with it.
        lab.client.put(.services, makeService("bad } { name", clusterIP: "10.96.1.3"))
        lab.client.put(.endpointSlices, makeSlice("bad } { name", ["10.244.1.2": .ready]))
        try await lab.run { lab in
            let listeners = try await blocking { try lab.listen() }
            let pod = try #require(lab.pods["10.244.1.9"])
            #expect(try await answer(from: pod, to: "10.96.1.2", listeners).server == "10.244.1.2")
            lab.client.put(.endpointSlices, makeSlice("web", ["10.244.1.2": .ready]))
            lab.client.put(.services, makeService("worse } {", clusterIP: "10.96.1.4"))
            lab.client.put(.endpointSlices, makeSlice("worse } {", ["10.244.1.2": .ready]))
            try await eventually("the Service beside has its rules") {
                try await answer(from: pod, to: "10.96.1.1", listeners).server == "10.244.1.2"
            }
        }
    }

    @Test func aPodReachesItselfThroughItsService() async throws {
        let lab = try await Lab.make(["10.244.1.2"])
        lab.client.put(.services, makeService("web", clusterIP: "10.96.1.1"))
        lab.client.put(.endpointSlices, makeSlice("web", ["10.244.1.2": .ready]))
        try await lab.run { lab in
            let pod = try #require(lab.pods["10.244.1.2"])
            let answer = try await answer(from: pod, to: "10.96.1.1", try await blocking { try lab.listen() })
            #expect(answer.client == "10.244.1.1")
        }
    }

    @Test func aServiceWithoutEndpointsRefuses() async throws {
        let lab = try await Lab.make(["10.244.1.9"])
        lab.client.put(.services, makeService("web", clusterIP: "10.96.1.1", ["nodePort": 1]))
        lab.client.put(.services, makeService("names", clusterIP: "10.96.1.2", port: 53, transport: "UDP"))
        try await lab.run { lab in
            let pod = try #require(lab.pods["10.244.1.9"])
            #expect(await refusal { try pod.connect("10.96.1.1", 80) } == ECONNREFUSED)
            #expect(await refusal { try lab.nodes[0].connect("10.96.1.1", 80) } == ECONNREFUSED)
            try await blocking {
                let datagrams = try pod.connect("10.96.1.2", 53, type: SOCK_DGRAM)
                try datagrams.send("?")
                #expect(throws: TestSocket.Failure(errno: ECONNREFUSED)) { try datagrams.receive() }
            }
        }
    }

    @Test func aNodePortLeadsToEndpointsOfOtherNodesToo() async throws {
        let lab = try await Lab.make(["10.244.2.2"])
        var service = makeService("web", clusterIP: "10.96.1.1", ["type": "NodePort"])
        service.spec["ports"][0]["nodePort"] = 30080
        lab.client.put(.services, service)
        lab.client.put(.endpointSlices, makeSlice("web", ["10.244.2.2": .ready]))
        try await lab.run { lab in
            let listeners = try await blocking { try lab.listen() }
            let answer = try await answer(from: lab.cluster, to: "172.30.0.2", listeners, port: 30080)
            #expect(answer.client == "172.30.0.2")
        }
    }

    @Test func sessionAffinityKeepsAClientAtItsEndpoint() async throws {
        let lab = try await Lab.make(["10.244.1.2", "10.244.1.3", "10.244.1.9"])
        lab.client.put(.services, makeService("web", clusterIP: "10.96.1.1", ["sessionAffinity": "ClientIP"]))
        lab.client.put(.endpointSlices, makeSlice("web", ["10.244.1.2": .ready, "10.244.1.3": .ready]))
        let listeners = try await blocking { try lab.listen() }
        let pod = try #require(lab.pods["10.244.1.9"])
        let chosen = Mutex("")
        try await lab.run { _ in
            let first = try await answer(from: pod, to: "10.96.1.1", listeners).server
            chosen.withLock { $0 = first }
            for _ in 0..<20 { #expect(try await answer(from: pod, to: "10.96.1.1", listeners).server == first) }
        }
        // Another agent on the same node takes over.
        try await lab.run { lab in
            let first = chosen.withLock { $0 }
            for _ in 0..<20 { #expect(try await answer(from: pod, to: "10.96.1.1", listeners).server == first) }
            var states: [String: EndpointState] = ["10.244.1.2": .ready, "10.244.1.3": .ready]
            states[first] = .ending
            lab.client.put(.endpointSlices, makeSlice("web", states))
            try await eventually("the client has another endpoint") {
                try await answer(from: pod, to: "10.96.1.1", listeners).server != first
            }
        }
    }

    @Test func anEndpointThatEndsGetsNoNewConnectionsAndKeepsTheOld() async throws {
        let lab = try await Lab.make(["10.244.1.2", "10.244.2.2", "10.244.1.9"])
        lab.client.put(.services, makeService("web", clusterIP: "10.96.1.1"))
        lab.client.put(.endpointSlices, makeSlice("web", ["10.244.1.2": .ready]))
        try await lab.run { lab in
            let listeners = try await blocking { try lab.listen() }
            let pod = try #require(lab.pods["10.244.1.9"])
            let listener = try #require(listeners["10.244.1.2"])
            let (old, accepted) = try await blocking {
                (try pod.connect("10.96.1.1", 80), try listener.accept().socket)
            }
            lab.client.put(.endpointSlices, makeSlice("web", ["10.244.1.2": .ending, "10.244.2.2": .ready]))
            try await eventually("the new endpoint is used") {
                try await answer(from: pod, to: "10.96.1.1", listeners).server == "10.244.2.2"
            }
            for _ in 0..<10 {
                #expect(try await answer(from: pod, to: "10.96.1.1", listeners).server == "10.244.2.2")
            }
            try await blocking {
                try accepted.send("still here")
                #expect(try old.receive() == "still here")
            }
            // Where no endpoint is ready, one that ends is better than none.
            lab.client.put(.endpointSlices, makeSlice("web", ["10.244.1.2": .ending, "10.244.2.2": .notReady]))
            try await eventually("the ending endpoint is used") {
                try await answer(from: pod, to: "10.96.1.1", listeners).server == "10.244.1.2"
            }
            lab.client.remove(.services, ObjectKey(namespace: "default", name: "web"))
            try await eventually("the address is gone") {
                await refusal { try pod.connect("10.96.1.1", 80) } == ENETUNREACH
            }
        }
    }

    @Test func aDatagramFlowLeavesAnEndpointThatIsGone() async throws {
        let lab = try await Lab.make(["10.244.1.2", "10.244.1.3", "10.244.1.9"])
        lab.client.put(.services, makeService("names", clusterIP: "10.96.1.1", port: 53, transport: "UDP"))
        lab.client.put(.endpointSlices, makeSlice("names", ["10.244.1.2": .ready], transport: "UDP"))
        try await lab.run { lab in
            let (first, second, client) = try await blocking {
                let first = try #require(lab.pods["10.244.1.2"]).listen("0.0.0.0", 8080, type: SOCK_DGRAM)
                let second = try #require(lab.pods["10.244.1.3"]).listen("0.0.0.0", 8080, type: SOCK_DGRAM)
                let client = try #require(lab.pods["10.244.1.9"]).connect("10.96.1.1", 53, type: SOCK_DGRAM)
                try client.send("one")
                #expect(try first.receive() == "one")
                return (first, second, client)
            }
            lab.client.put(.endpointSlices, makeSlice("names", ["10.244.1.3": .ready], transport: "UDP"))
            try await eventually("the flow goes to the new endpoint") {
                try await blocking {
                    try client.send("two")
                    var waiting = pollfd(fd: second.descriptor, events: Int16(POLLIN), revents: 0)
                    return poll(&waiting, 1, 10) == 1
                }
            }
            // Which, closed, would refuse what the flow still sends it.
            withExtendedLifetime(first) {}
        }
    }
}
