import Glibc

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

extension ListenAddress {
    /// - Throws: `usage`, what is wrong with an address that a user has given.
    fileprivate static func check(_ text: String) throws(SupervisorError) {
        guard isPossible(text) else {
            throw .usage(
                "--listen-address \(text): name an IPv4 address of this machine's network (see: ip address); not all of "
                    + "them, and no loopback address, where Services are anyway")
        }
        do {
            _ = try HostPorts.open(.init(address: text, port: 0, transport: "TCP"))
        } catch {
            throw .usage(
                "--listen-address \(text): nothing can listen there (\(String(cString: strerror(error.errno)))); name an "
                    + "address of this machine (see: ip address)")
        }
    }
}
