import Addresses
import ClusterLayout
import Crypto
import KubernetesModel

/// The certificates, keys and kubeconfigs in a cluster's `pki` directory.
struct ClusterCertificates {
    let paths: ClusterPaths

    /// Makes what is missing: the authority, the API server's certificate, the key that signs service-account tokens
    /// and a kubeconfig for each component and node. What is there stays.
    func ensure(apiPort: Int, nodes: [String]) throws {
        try Files.makePrivateDirectory(paths.pki.directory)
        let authority = try authority()
        if try Files.read(paths.pki.serviceAccountKey) == nil {
            let key = P256.Signing.PrivateKey()
            try write(key.publicKey.pemRepresentation, to: paths.pki.serviceAccountPublicKey)
            try write(key.pemRepresentation, to: paths.pki.serviceAccountKey)
        }
        if try !hasServerCertificate() {
            let issued = try authority.server(
                name: "kube-apiserver",
                hosts: [
                    "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                    "kubernetes.default.svc.cluster.local",
                ],
                addresses: [AddressPlan.loopback, AddressPlan.kubernetes, AddressPlan.apiServer].map(\.bytes))
            try write(issued.certificate, to: paths.pki.apiServer)
            try write(issued.key, to: paths.pki.apiServerKey)
        }
        let outside = "https://\(AddressPlan.loopback):\(apiPort)"
        let inside = "https://\(AddressPlan.apiServer):\(AddressPlan.apiServerPort)"
        try kubeconfig("admin", user: "kubernetes-admin", groups: ["system:masters"], server: outside, authority)
        try kubeconfig(
            "service-proxy", user: "system:kube-proxy", groups: ["system:node-proxier"], server: inside, authority)
        for node in nodes {
            try kubeconfig(
                "node-\(node)", user: "system:node:\(node)", groups: ["system:nodes"], server: inside, authority)
        }
    }

    /// Whether the API server's certificate and key are there and can be read. The authority can issue them anew, so
    /// damage to them is no reason to fail.
    private func hasServerCertificate() throws(SupervisorError) -> Bool {
        guard let certificate = try Files.text(paths.pki.apiServer),
            let key = try Files.text(paths.pki.apiServerKey)
        else { return false }
        return (try? CertificateAuthority(certificate: certificate, key: key)) != nil
    }

    private func authority() throws -> CertificateAuthority {
        if let certificate = try Files.text(paths.pki.authority), let key = try Files.text(paths.pki.authorityKey) {
            do {
                return try CertificateAuthority(certificate: certificate, key: key)
            } catch {
                throw SupervisorError.file(
                    path: paths.pki.authority,
                    problem:
                        "the cluster's certificate authority, this file and ca.key beside it, is damaged: \(error)",
                    remedy: "restore both, or remove the cluster with: martlet delete")
            }
        }
        let authority = try CertificateAuthority(name: "martlet-\(paths.profile)")
        let pem = try authority.pem
        // The key comes last: an authority without one is made anew as a whole.
        try write(pem.certificate, to: paths.pki.authority)
        try write(pem.key, to: paths.pki.authorityKey)
        return authority
    }

    private func write(_ text: String, to path: String) throws(SupervisorError) {
        try Files.write(Array(text.utf8), to: path)
    }

    private func kubeconfig(
        _ name: String, user: String, groups: [String], server: String, _ authority: CertificateAuthority
    ) throws {
        let path = paths.pki.kubeconfig(name)
        // The server's port may have changed since.
        if let text = try Files.text(path), text.contains("server: \(server)\n") { return }
        let issued = try authority.client(user: user, groups: groups)
        let entry = KubeconfigEntry(
            name: paths.profile, server: server, authority: try authority.pem.certificate,
            clientCertificate: issued.certificate, clientKey: issued.key)
        try Files.write(Array(try entry.document.yaml.utf8), to: path)
    }
}
