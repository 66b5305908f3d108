import ClusterLayout
import Foundation
import KubernetesModel
import Testing

@testable import Supervisor

/// Certificates last as long as clusters; nodes do not.
@Suite struct NodeCertificateTests {
    private static func certificate(_ cluster: TestCluster, _ node: String) throws -> [UInt8] {
        try #require(NodeCertificates.certificate(cluster.paths.pki.kubeconfig("node-\(node)")))
    }

    @Test func aRemovedNodesCertificateCountsNoMore() throws {
        let cluster = try TestCluster()
        let certificates = ClusterCertificates(paths: cluster.paths)
        try certificates.ensure(apiPort: 6443, nodes: ["one", "two"])
        let nodes = NodeCertificates(pki: cluster.paths.pki)
        let (one, two) = (try Self.certificate(cluster, "one"), try Self.certificate(cluster, "two"))
        for _ in 0..<2 {
            #expect(nodes.isCurrent(one, of: "one") && nodes.isCurrent(two, of: "two"))
            #expect(!nodes.isCurrent(one, of: "two") && !nodes.isCurrent([], of: "one"))
        }
        // As the supervisor removes a node.
        try Files.removeTree(cluster.paths.pki.kubeconfig("node-one"))
        #expect(!nodes.isCurrent(one, of: "one") && nodes.isCurrent(two, of: "two"))
        // Another node of the same name has another certificate.
        try certificates.ensure(apiPort: 6443, nodes: ["one", "two"])
        #expect(!nodes.isCurrent(one, of: "one"))
        #expect(nodes.isCurrent(try Self.certificate(cluster, "one"), of: "one"))
    }

    @Test(arguments: ["", "..", "../admin", "one/../two", "admin", "one\0", "three"])
    func aNameIsNoPath(_ name: String) throws {
        let cluster = try TestCluster()
        try ClusterCertificates(paths: cluster.paths).ensure(apiPort: 6443, nodes: ["one", "two"])
        let nodes = NodeCertificates(pki: cluster.paths.pki)
        #expect(!nodes.isCurrent(try Self.certificate(cluster, "two"), of: name))
    }
}
