import Addresses
import Crypto
import KubernetesModel

/// The certificates, keys and kubeconfigs in a cluster's `pki` folder.
struct ClusterCertificates {
    let paths: ClusterPaths

    /// Makes what is missing: the authority, the API server's certificate, the key that signs service-account tokens
    /// and a kubeconfig for each component and node. What is there stays.
    func ensure(apiPort: Int, nodes: [String]) throws {
        try Files.makeFolder(paths.pki)
        let authority = try authority()
        if try Files.read("\(paths.pki)/sa.key") == nil {
            let key = P256.Signing.PrivateKey()
            try write(key.publicKey.pemRepresentation, "sa.pub")
            try write(key.pemRepresentation, "sa.key")
        }
        if try !hasServerCertificate() {
            let issued = try authority.server(
                name: "kube-apiserver",
                hosts: [
                    "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                    "kubernetes.default.svc.cluster.local",
                ],
                addresses: [[127, 0, 0, 1], [10, 96, 0, 1], [172, 30, 0, 1]])
            try write(issued.certificate, "apiserver.crt")
            try write(issued.key, "apiserver.key")
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
        guard let certificate = try Files.text("\(paths.pki)/apiserver.crt"),
            let key = try Files.text("\(paths.pki)/apiserver.key")
        else { return false }
        return (try? CertificateAuthority(certificate: certificate, key: key)) != nil
    }

    private func authority() throws -> CertificateAuthority {
        if let certificate = try Files.text("\(paths.pki)/ca.crt"), let key = try Files.text("\(paths.pki)/ca.key") {
            do {
                return try CertificateAuthority(certificate: certificate, key: key)
            } catch {
                throw SupervisorError.file(
                    path: "\(paths.pki)/ca.crt",
                    problem:
                        "the cluster's certificate authority, this file and ca.key beside it, is damaged: \(error)",
                    remedy: "restore both, or remove the cluster with: martlet delete")
            }
        }
        let authority = try CertificateAuthority(name: "martlet-\(paths.profile)")
        let pem = try authority.pem
        // The key comes last: an authority without one is made anew as a whole.
        try write(pem.certificate, "ca.crt")
        try write(pem.key, "ca.key")
        return authority
    }

    private func write(_ text: String, _ name: String) throws(SupervisorError) {
        try Files.write(Array(text.utf8), to: "\(paths.pki)/\(name)")
    }

    private func kubeconfig(
        _ name: String, user: String, groups: [String], server: String, _ authority: CertificateAuthority
    ) throws {
        let path = paths.kubeconfig(name)
        // The server's port may have changed since.
        if let text = try Files.text(path), text.contains("server: \(server)\n") { return }
        let issued = try authority.client(user: user, groups: groups)
        let entry = KubeconfigEntry(
            name: paths.profile, server: server, authority: try authority.pem.certificate,
            clientCertificate: issued.certificate, clientKey: issued.key)
        try Files.write(Array(try entry.document.yaml.utf8), to: path)
    }
}
