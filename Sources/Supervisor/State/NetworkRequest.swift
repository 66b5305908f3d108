/// What a cluster's network is to be; what is not said stays as it is.
public struct NetworkRequest: Sendable {
    public var egress: EgressMode?
    /// The addresses at which the network reaches Services; `none` for none any more.
    public var listenAddresses: [String]

    public init(egress: EgressMode? = nil, listenAddresses: [String] = []) {
        self.egress = egress
        self.listenAddresses = listenAddresses
    }

    /// Changes a configuration to what is asked for; returns whether that makes a difference.
    func changes(_ configuration: inout ClusterConfiguration) throws(SupervisorError) -> Bool {
        let before = configuration
        if let egress { configuration.egress = egress }
        if listenAddresses == [ListenAddress.none] {
            configuration.listenAddresses = []
        } else if !listenAddresses.isEmpty {
            for address in listenAddresses { try ListenAddress.check(address) }
            configuration.listenAddresses = listenAddresses
        }
        return configuration != before
    }
}
