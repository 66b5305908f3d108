import Addresses
import Glibc
import Linux

/// The links, addresses and routes that join a cluster's namespace and its nodes'.
///
/// Works on namespaces by descriptor, so the supervisor calls it from the host's, and a rootless one from within. All of
/// it can be done again: what exists stays. Blocks for some milliseconds at most; see `Blocking`.
public struct ClusterNetwork: Sendable {
    let namespace: SharedDescriptor

    /// - Parameter namespace: the cluster's network namespace; the caller keeps it open.
    public init(namespace: SharedDescriptor) { self.namespace = namespace }

    /// Makes the bridge to which nodes are joined, and gives the cluster's namespace its addresses.
    public func setUp() throws(SystemError) {
        try insideNetworkNamespace(namespace) { () throws(SystemError) in try Self.prepareForwarding() }
        var socket = try RouteSocket(namespace: self.namespace)
        try socket.perform(
            [.addBridge(AddressPlan.nodeBridge, hardwareAddress: Self.hardwareAddress(AddressPlan.gateway))],
            ignoring: [EEXIST])
        let loopback = try Self.index("lo", &socket)
        let bridge = try Self.index(AddressPlan.nodeBridge, &socket)
        try socket.perform(
            [
                .setUp(loopback), .setUp(bridge),
                .addAddress(AddressPlan.gateway, prefix: AddressPlan.nodes.prefix, to: bridge),
                .addAddress(AddressPlan.kubernetes, prefix: 32, to: loopback),
                .addAddress(AddressPlan.dns, prefix: 32, to: loopback),
            ], ignoring: [EEXIST])
    }

    /// Joins a node: the link `eth0` to the bridge, the bridge of its pods, and the routes between.
    ///
    /// - Parameters:
    ///   - index: the node's number from 1, which gives it its addresses.
    ///   - namespace: the node's network namespace.
    public func addNode(_ index: Int, namespace: SharedDescriptor) throws(SystemError) {
        try insideNetworkNamespace(namespace) { () throws(SystemError) in try Self.prepareForwarding() }
        var outer = try RouteSocket(namespace: self.namespace)
        var inner = try RouteSocket(namespace: namespace)
        let bridge = try Self.index(AddressPlan.nodeBridge, &outer)
        let name = Self.linkName(index)
        if try inner.index(of: "eth0") == nil {
            // Its other end may be left in a namespace that nobody uses any more.
            try outer.perform([.deleteLink(name)], ignoring: [ENODEV])
            try outer.perform([
                .addVeth(
                    name, peer: "eth0", in: .descriptor(namespace), master: bridge, mtu: RouteRequest.virtualMTU)
            ])
        }
        try inner.perform(
            [
                .addBridge(
                    AddressPlan.podBridge,
                    hardwareAddress: Self.hardwareAddress(AddressPlan.podGateway(ofNode: index)))
            ], ignoring: [EEXIST])
        let link = try Self.index("eth0", &inner)
        let pods = try Self.index(AddressPlan.podBridge, &inner)
        let loopback = try Self.index("lo", &inner)
        let network = AddressPlan.pods(ofNode: index)
        try inner.perform(
            [
                .setUp(loopback), .setUp(link), .setUp(pods),
                .addAddress(AddressPlan.node(index), prefix: AddressPlan.nodes.prefix, to: link),
                .addAddress(AddressPlan.podGateway(ofNode: index), prefix: network.prefix, to: pods),
                .addRoute(to: IPv4Address(0), prefix: 0, via: AddressPlan.gateway),
                // It would be looked for among the nodes.
                .addRoute(
                    to: AddressPlan.egress.base, prefix: AddressPlan.egress.prefix, via: AddressPlan.gateway),
            ], ignoring: [EEXIST])
        try outer.perform([
            .addRoute(to: network.base, prefix: network.prefix, via: AddressPlan.node(index))
        ])
    }

    /// Takes a node's link and route away. A node that is not joined is no error.
    public func removeNode(_ index: Int) throws(SystemError) {
        var outer = try RouteSocket(namespace: self.namespace)
        let network = AddressPlan.pods(ofNode: index)
        try outer.perform(
            [
                .deleteRoute(to: network.base, prefix: network.prefix, via: AddressPlan.node(index)),
                .deleteLink(Self.linkName(index)),
            ], ignoring: [ENODEV, ESRCH])
    }

    private static func linkName(_ index: Int) -> String { "node\(index)" }

    static func index(_ name: String, _ socket: inout RouteSocket) throws(SystemError) -> Int32 {
        guard let index = try socket.index(of: name) else { throw SystemError("netlink", errno: ENODEV, name) }
        return index
    }

    /// A bridge without an address of its own takes that of its lowest port, so it would change with the pods, under
    /// those that have it in their caches.
    private static func hardwareAddress(_ address: IPv4Address) -> [UInt8] {
        [0x02, 0x6D] + address.bytes
    }

    private static func prepareForwarding() throws(SystemError) {
        let ipv4 = "/proc/sys/net/ipv4"
        try writeControl("\(ipv4)/ip_forward", "1")
        for scope in ["all", "default"] {
            // Pods of one node reach each other over the link on which their packets came: no reason to redirect them.
            try writeControl("\(ipv4)/conf/\(scope)/send_redirects", "0")
            // Answers may come back by another way than a filter by reverse path would have it.
            try writeControl("\(ipv4)/conf/\(scope)/rp_filter", "0")
        }
        // Pods have no IPv6 addresses; without it no router is looked for and no link-local address is announced.
        for scope in ["all", "default"] {
            try writeWherePresent("/proc/sys/net/ipv6/conf/\(scope)/disable_ipv6", "1")
        }
        // Where br_netfilter is loaded, a bridge would translate packets itself, and lose those from a pod to itself.
        try writeWherePresent("/proc/sys/net/bridge/bridge-nf-call-iptables", "0")
    }

    private static func writeWherePresent(_ path: String, _ value: String) throws(SystemError) {
        do {
            try writeControl(path, value)
        } catch  where error.errno == ENOENT {
            return
        }
    }
}
