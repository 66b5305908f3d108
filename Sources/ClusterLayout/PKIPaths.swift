/// The certificates and keys of a cluster, in PEM.
public struct PKIPaths: Sendable, Hashable {
    public let directory: String

    init(_ directory: String) { self.directory = directory }

    public var authority: String { "\(directory)/ca.crt" }
    public var authorityKey: String { "\(directory)/ca.key" }
    public var apiServer: String { "\(directory)/apiserver.crt" }
    public var apiServerKey: String { "\(directory)/apiserver.key" }
    /// The key pair of service-account tokens.
    public var serviceAccountKey: String { "\(directory)/sa.key" }
    public var serviceAccountPublicKey: String { "\(directory)/sa.pub" }

    public func kubeconfig(_ user: String) -> String { "\(directory)/\(user).kubeconfig" }
}
