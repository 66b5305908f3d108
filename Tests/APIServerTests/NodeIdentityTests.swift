import HTTPTypes
import KubernetesModel
import Testing

@testable import APIServer

/// Nodes by their certificates.
@Suite struct NodeIdentityTests {
    private static func certificate(_ name: String, _ groups: [String], _ der: [UInt8]) -> ClientCertificate {
        ClientCertificate(user: User(name: name, groups: groups + ["system:authenticated"]), der: der)
    }

    @Test(
        arguments: [
            ("system:node:one", ["system:nodes"], [1], true), ("system:node:one", ["system:nodes"], [2], false),
            ("system:node:gone", ["system:nodes"], [1], false), ("system:node:", ["system:nodes"], [1], false),
            ("kubernetes-admin", ["system:masters"], [1], true),
            ("system:kube-proxy", ["system:node-proxier"], [1], true),
        ] as [(String, [String], [UInt8], Bool)])
    func onlyACurrentNodeIsANode(_ name: String, _ groups: [String], _ der: [UInt8], _ isAccepted: Bool) {
        let authentication = Authentication(
            tokens: nil, isCurrentNodeCertificate: { node, der in node == "one" && der == [1] })
        let certificate = Self.certificate(name, groups, der)
        let user = try? authentication.user(headers: HTTPFields(), certificate: certificate)
        #expect(user?.name == (isAccepted ? name : nil))
        // The name alone gives no rights of a node, and none to refuse.
        let other = Self.certificate(name, [], der)
        #expect((try? authentication.user(headers: HTTPFields(), certificate: other)) != nil)
    }
}
