import Addresses
import Glibc
import Linux
import Testing

@testable import Networking

@Suite(.enabled(if: TestNamespace.isPossible, "needs root"), .serialized, .timeLimit(.minutes(2)))
struct ClusterNetworkTests {
    /// A cluster with two nodes and a pod on each.
    private static func makeCluster() throws -> (cluster: TestNamespace, nodes: [TestNamespace], pods: [TestNamespace])
    {
        let cluster = try TestNamespace()
        let network = ClusterNetwork(namespace: cluster.descriptor)
        try network.setUp()
        var nodes: [TestNamespace] = []
        var pods: [TestNamespace] = []
        for index in 1...2 {
            let node = try TestNamespace()
            try network.addNode(index, namespace: node.descriptor)
            let pod = try TestNamespace()
            try pod.join(node: node, address: "10.244.\(index).2", gateway: "10.244.\(index).1", name: "pod1")
            nodes.append(node)
            pods.append(pod)
        }
        return (cluster, nodes, pods)
    }

    private static func expectReachable(from client: TestNamespace, _ server: TestNamespace, _ address: String) throws {
        // Another one each time: a child that another test starts has the last one's listener until it executes.
        let port = Int.random(in: 1024..<30_000)
        let listener = try server.listen(address, port)
        let connection = try client.connect(address, port)
        let accepted = try listener.accept()
        try accepted.socket.send("hello")
        #expect(try connection.receive() == "hello")
    }

    @Test func podsReachEachOtherAcrossNodesAndTheCluster() async throws {
        try await blocking {
            let (cluster, nodes, pods) = try Self.makeCluster()
            try Self.expectReachable(from: pods[0], pods[1], "10.244.2.2")
            try Self.expectReachable(from: pods[1], pods[0], "10.244.1.2")
            try Self.expectReachable(from: pods[1], cluster, "10.96.0.1")
            try Self.expectReachable(from: pods[0], cluster, "10.96.0.10")
            try Self.expectReachable(from: nodes[0], pods[1], "10.244.2.2")
            try Self.expectReachable(from: pods[0], nodes[1], "172.30.0.3")
            try Self.expectReachable(from: cluster, pods[0], "10.244.1.2")
            try Self.expectReachable(from: nodes[0], cluster, "172.30.0.1")
        }
    }

    @Test func setUpAgainChangesNothing() async throws {
        try await blocking {
            let (cluster, nodes, pods) = try Self.makeCluster()
            let network = ClusterNetwork(namespace: cluster.descriptor)
            try network.setUp()
            try network.addNode(1, namespace: nodes[0].descriptor)
            try Self.expectReachable(from: pods[0], pods[1], "10.244.2.2")
        }
    }

    @Test func aNodeIsReplacedByAnotherOfItsIndex() async throws {
        try await blocking {
            let (cluster, nodes, pods) = try Self.makeCluster()
            let network = ClusterNetwork(namespace: cluster.descriptor)
            try network.removeNode(2)
            try network.removeNode(2)
            #expect(throws: TestSocket.Failure(errno: ENETUNREACH)) { try pods[0].connect("10.244.2.2", 80) }
            let node = try TestNamespace()
            try network.addNode(2, namespace: node.descriptor)
            try Self.expectReachable(from: nodes[0], node, "172.30.0.3")
            try Self.expectReachable(from: pods[0], node, "10.244.2.1")
        }
    }

    /// A pod that addresses frames to another one itself would get past the node's rules.
    @Test func framesOfIsolatedPodsReachTheNodeAlone() async throws {
        try await blocking {
            let (_, nodes, pods) = try Self.makeCluster()
            let neighbour = try TestNamespace()
            try neighbour.join(node: nodes[0], address: "10.244.1.3", gateway: "10.244.1.1", name: "pod2")
            var route = try RouteSocket(namespace: pods[0].descriptor)
            let link = try #require(try route.index(of: "eth0"))
            let address = try #require(IPv4Address("10.244.1.3"))
            try route.perform([.addRoute(to: address, prefix: 32, link: link)])
            let inbox = try neighbour.listen("0.0.0.0", 9000, type: SOCK_DGRAM)
            let sender = try pods[0].connect("10.244.1.3", 9000, type: SOCK_DGRAM)
            try sender.send("from pod to pod")
            #expect(try inbox.receive() == "from pod to pod")
            var node = try RouteSocket(namespace: nodes[0].descriptor)
            try node.perform([.isolate("pod1"), .isolate("pod2")])
            try sender.send("from pod to pod again")
            try route.perform([.deleteRoute(to: address, prefix: 32, link: link)])
            try sender.send("by way of the node")
            #expect(try inbox.receive() == "by way of the node")
        }
    }
}
