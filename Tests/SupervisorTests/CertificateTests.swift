import Foundation
import KubernetesModel
import Testing
import X509

@testable import Supervisor

@Suite struct CertificateTests {
    private static func certificate(_ base64: JSON) throws -> Certificate {
        let pem = try #require(base64.string.flatMap { Data(base64Encoded: $0) })
        return try Certificate(pemEncoded: String(decoding: pem, as: UTF8.self))
    }

    /// Whoever has the cluster's authority knows a certificate's user and groups by its name.
    @Test(arguments: [
        ("admin", "CN=kubernetes-admin,O=system:masters"),
        ("service-proxy", "CN=system:kube-proxy,O=system:node-proxier"),
        ("node-one", "CN=system:node:one,O=system:nodes"),
    ]) func aKubeconfigHasAnIdentity(_ name: String, _ subject: String) throws {
        let cluster = try TestCluster()
        try ClusterCertificates(paths: cluster.paths).ensure(apiPort: 6443, nodes: ["one"])
        let document = try JSON(yaml: cluster.text(cluster.paths.pki.kubeconfig(name)))
        let client = try Self.certificate(document["users"][0]["user"]["client-certificate-data"])
        let authority = try Self.certificate(document["clusters"][0]["cluster"]["certificate-authority-data"])
        #expect(client.subject.description == subject)
        #expect(authority.publicKey.isValidSignature(client.signature, for: client))
        #expect(try client.extensions.extendedKeyUsage?.contains(.clientAuth) == true)
        #expect(try client.extensions.extendedKeyUsage?.contains(.serverAuth) == false)
        let server = document["clusters"][0]["cluster"]["server"]
        #expect(server == (name == "admin" ? "https://127.0.0.1:6443" : "https://172.30.0.1:6443"))
    }

    @Test func theServerHasTheNamesThatClientsUse() throws {
        let cluster = try TestCluster()
        try ClusterCertificates(paths: cluster.paths).ensure(apiPort: 6443, nodes: [])
        let certificate = try Certificate(pemEncoded: cluster.text(cluster.paths.pki.apiServer))
        let names = try #require(try certificate.extensions.subjectAlternativeNames).map(\.description)
        for name in ["localhost", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"] {
            #expect(names.contains { $0.contains("\"\(name)\"") || $0.hasSuffix(name) }, "\(names)")
        }
        #expect(names.count == 8)
        #expect(try certificate.extensions.extendedKeyUsage?.contains(.serverAuth) == true)
    }

    /// What clients and pods hold stays valid: only what is missing, damaged or out of date is made.
    @Test func whatIsThereStays() throws {
        let cluster = try TestCluster()
        let certificates = ClusterCertificates(paths: cluster.paths)
        try certificates.ensure(apiPort: 6443, nodes: ["one"])
        func all() throws -> [String: String] {
            let names = try cluster.names(cluster.paths.pki.directory)
            return try Dictionary(
                uniqueKeysWithValues: names.map { ($0, try cluster.text("\(cluster.paths.pki.directory)/\($0)")) })
        }
        let first = try all()
        try certificates.ensure(apiPort: 6443, nodes: ["one"])
        #expect(try all() == first)

        try certificates.ensure(apiPort: 7443, nodes: ["one", "two"])
        let moved = try all()
        #expect(Set(moved.keys).subtracting(first.keys) == ["node-two.kubeconfig"])
        #expect(first.keys.filter { moved[$0] != first[$0] } == ["admin.kubeconfig"])

        try cluster.write("damaged", to: cluster.paths.pki.apiServer)
        try certificates.ensure(apiPort: 7443, nodes: ["one", "two"])
        let mended = try all()
        #expect(Set(moved.keys.filter { mended[$0] != moved[$0] }) == ["apiserver.crt", "apiserver.key"])
    }

    @Test(arguments: ["ca.crt", "ca.key"]) func aDamagedAuthorityIsRefused(_ name: String) throws {
        let cluster = try TestCluster()
        let certificates = ClusterCertificates(paths: cluster.paths)
        try certificates.ensure(apiPort: 6443, nodes: [])
        try cluster.write("damaged", to: "\(cluster.paths.pki.directory)/\(name)")
        let error = #expect(throws: SupervisorError.self) { try certificates.ensure(apiPort: 6443, nodes: []) }
        #expect(error?.description.contains("ca.crt") == true)
        #expect(error?.description.contains("martlet delete") == true)
        #expect(try cluster.text("\(cluster.paths.pki.directory)/\(name)") == "damaged")
    }

    @Test func keysAreTheOwnersAlone() throws {
        let cluster = try TestCluster()
        try ClusterCertificates(paths: cluster.paths).ensure(apiPort: 6443, nodes: ["one"])
        for name in try cluster.names(cluster.paths.pki.directory) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(cluster.paths.pki.directory)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }
}
