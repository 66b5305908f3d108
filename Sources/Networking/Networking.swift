/// Networking: a cluster's links and addresses, its Services' rules, its DNS, and the way in from the host.
///
/// `ClusterNetwork` makes the bridge and the nodes' links; `ServiceRules` translates Service addresses on one node;
/// `DNSServer` answers names; `ServiceProxy` carries the host's connections to endpoints. Nothing here changes the
/// network namespace of the host.

import Linux

/// The addresses that a cluster's parts have by convention (docs/architecture.md).
public enum ClusterAddresses {
    /// The cluster's own address on the network of the nodes, and the nodes' gateway.
    public static let gateway = IPv4Address(0xAC1E_0001)
    public static let nodesPrefix: UInt8 = 16
    /// The Service `kubernetes`: a plain address of the cluster's namespace.
    public static let api = IPv4Address(0x0A60_0001)
    /// The DNS server: a plain address of the cluster's namespace.
    public static let dns = IPv4Address(0x0A60_000A)
    public static let podsPrefix: UInt8 = 24

    /// The address of a node, by its index from 1: 172.30.0.2 and up.
    public static func node(_ index: Int) -> IPv4Address { IPv4Address(gateway.value + UInt32(index)) }
    /// The network of a node's pods: 10.244.N.0.
    public static func pods(ofNode index: Int) -> IPv4Address { IPv4Address(0x0AF4_0000 + UInt32(index) << 8) }
    /// The gateway of a node's pods: 10.244.N.1.
    public static func podGateway(ofNode index: Int) -> IPv4Address { IPv4Address(pods(ofNode: index).value + 1) }
}
