import Addresses
import Glibc
import Linux
import Testing

@testable import Networking

/// What may leave a cluster's namespace, before there is anybody at the other end of its link.
@Suite(.enabled(if: TestNamespace.isPossible, "needs root"), .serialized, .timeLimit(.minutes(2)))
struct EgressTests {
    /// A cluster with a link to the outside, and a pod on its one node.
    private static func makeCluster() throws -> (cluster: TestNamespace, node: TestNamespace, pod: TestNamespace) {
        let cluster = try TestNamespace()
        let network = ClusterNetwork(namespace: cluster.descriptor)
        try network.setUp()
        try network.setUpEgress()
        // As it is after the supervisor has been started again.
        try network.setUpEgress()
        let node = try TestNamespace()
        try network.addNode(1, namespace: node.descriptor)
        let pod = try TestNamespace()
        try pod.join(node: node, address: "10.244.1.2", gateway: "10.244.1.1", name: "pod1")
        return (cluster, node, pod)
    }

    private static let forbidden = [
        "169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "10.96.77.7", "10.244.77.7",
        "172.30.255.3", "172.30.255.77",
    ]

    @Test func whatIsNotOutsideIsRefusedAtOnce() async throws {
        let (cluster, node, pod) = try await blocking { try Self.makeCluster() }
        let nftables = try Nftables(namespace: cluster.descriptor)
        for reachesHost in [false, true] {
            try await EgressRules(reachesHost: reachesHost).apply(nftables)
            try await blocking {
                for address in Self.forbidden + (reachesHost ? [] : ["172.30.255.2"]) {
                    for client in [pod, node] {
                        #expect(throws: TestSocket.Failure(errno: EHOSTUNREACH), "\(address)") {
                            try client.connect(address, 80)
                        }
                    }
                }
                #expect(throws: (any Error).self) { try cluster.connect("169.254.169.254", 80) }
            }
        }
    }

    @Test func whatIsWithinIsLeftAlone() async throws {
        let (cluster, node, pod) = try await blocking { try Self.makeCluster() }
        defer { withExtendedLifetime(node) {} }
        try await EgressRules(reachesHost: false).apply(try Nftables(namespace: cluster.descriptor))
        try await blocking {
            let listener = try cluster.listen("10.96.0.10", 53)
            let connection = try pod.connect("10.96.0.10", 53)
            let accepted = try listener.accept()
            #expect(accepted.client == "10.244.1.2", "with the pod's own address")
            try accepted.socket.send("hello")
            #expect(try connection.receive() == "hello")
        }
    }

    @Test func theLinkIsTakenAway() async throws {
        let (cluster, node, pod) = try await blocking { try Self.makeCluster() }
        defer { withExtendedLifetime(node) {} }
        try await blocking {
            let network = ClusterNetwork(namespace: cluster.descriptor)
            try network.removeEgress()
            try network.removeEgress()
            #expect(throws: TestSocket.Failure(errno: ENETUNREACH)) { try pod.connect("192.0.2.1", 80) }
        }
    }
}
