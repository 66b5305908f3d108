import NIOSSL

extension Kubeconfig {
    /// How a client of this context verifies the server, and the certificate by which it shows who it is.
    ///
    /// - Throws: where the certificates or the key are not valid PEM.
    public func tlsConfiguration() throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authority { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority)) }
        if isInsecure { tls.certificateVerification = .none }
        if case .certificate(let chain, let key) = credentials {
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
        }
        return tls
    }
}
