import Addresses
import CLinux
import Glibc

/// One change to the links, addresses or routes of a network namespace (rtnetlink(7)).
public struct RouteRequest: Sendable {
    /// What the request is about, for errors.
    let about: String
    var message: NetlinkMessage
    /// The namespace that the message names by its descriptor's number.
    var lease: SharedDescriptor.Lease?

    /// Where the other end of a veth pair goes.
    public enum Namespace: Sendable {
        /// A descriptor of `/proc/PID/ns/net`.
        case descriptor(SharedDescriptor)
        case process(Int32)

        fileprivate func lease() throws(SystemError) -> SharedDescriptor.Lease? {
            if case .descriptor(let descriptor) = self { try descriptor.lease() } else { nil }
        }

        /// The attribute that names it, of those of `RTM_NEWLINK`.
        fileprivate func name(in message: inout NetlinkMessage, _ lease: SharedDescriptor.Lease?) {
            if let lease { message.add(IFLA_NET_NS_FD, UInt32(bitPattern: lease.number)) }
            if case .process(let pid) = self { message.add(IFLA_NET_NS_PID, UInt32(bitPattern: pid)) }
        }
    }

    /// The MTU of links that no wire limits: what programs that carry frames take, and less work for each byte.
    public static let virtualMTU: UInt32 = 65_520

    /// - Parameter hardwareAddress: six bytes; without it the bridge has the lowest one of its ports, changing with them.
    public static func addBridge(_ name: String, hardwareAddress: [UInt8]? = nil, up: Bool = true) -> RouteRequest {
        var message = NetlinkMessage(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, link(up: up))
        message.add(IFLA_IFNAME, name)
        if let hardwareAddress { message.add(IFLA_ADDRESS, hardwareAddress) }
        message.nest(IFLA_LINKINFO) { $0.add(IFLA_INFO_KIND, "bridge") }
        return RouteRequest(about: "create bridge \(name)", message: message)
    }

    /// A veth pair: `name` here, in the bridge `master` (an index), and `peer` in another namespace.
    public static func addVeth(
        _ name: String, peer: String, in namespace: Namespace? = nil, master: Int32? = nil, up: Bool = true,
        mtu: UInt32? = nil
    ) throws(SystemError) -> RouteRequest {
        let lease = try namespace?.lease()
        var message = NetlinkMessage(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, link(up: up))
        message.add(IFLA_IFNAME, name)
        if let master { message.add(IFLA_MASTER, UInt32(bitPattern: master)) }
        if let mtu { message.add(IFLA_MTU, mtu) }
        message.nest(IFLA_LINKINFO) { info in
            info.add(IFLA_INFO_KIND, "veth")
            info.nest(IFLA_INFO_DATA) { data in
                data.nest(VETH_INFO_PEER) { other in
                    other.append(ifinfomsg())
                    other.add(IFLA_IFNAME, peer)
                    if let mtu { other.add(IFLA_MTU, mtu) }
                    namespace?.name(in: &other, lease)
                }
            }
        }
        return RouteRequest(about: "create veth \(name)", message: message, lease: lease)
    }

    public static func setUp(_ index: Int32, _ up: Bool = true) -> RouteRequest {
        var header = link(up: up)
        header.ifi_index = index
        header.ifi_change = UInt32(IFF_UP)
        return RouteRequest(
            about: "set link \(index) \(up ? "up" : "down")", message: NetlinkMessage(RTM_NEWLINK, header))
    }

    public static func setMTU(_ index: Int32, _ mtu: UInt32) -> RouteRequest {
        var header = ifinfomsg()
        header.ifi_index = index
        var message = NetlinkMessage(RTM_NEWLINK, header)
        message.add(IFLA_MTU, mtu)
        return RouteRequest(about: "set MTU \(mtu) of link \(index)", message: message)
    }

    /// Puts a link into a bridge; takes it out with 0.
    public static func setMaster(_ index: Int32, _ master: Int32) -> RouteRequest {
        var header = ifinfomsg()
        header.ifi_index = index
        var message = NetlinkMessage(RTM_NEWLINK, header)
        message.add(IFLA_MASTER, UInt32(bitPattern: master))
        return RouteRequest(about: "set master of link \(index)", message: message)
    }

    public static func move(
        _ index: Int32, to namespace: Namespace, renamed name: String? = nil
    ) throws(SystemError) -> RouteRequest {
        let lease = try namespace.lease()
        var header = ifinfomsg()
        header.ifi_index = index
        var message = NetlinkMessage(RTM_NEWLINK, header)
        if let name { message.add(IFLA_IFNAME, name) }
        namespace.name(in: &message, lease)
        return RouteRequest(about: "move link \(index)", message: message, lease: lease)
    }

    /// Of a veth pair the other end goes too.
    public static func deleteLink(_ name: String) -> RouteRequest {
        var message = NetlinkMessage(RTM_DELLINK, ifinfomsg())
        message.add(IFLA_IFNAME, name)
        return RouteRequest(about: "delete link \(name)", message: message)
    }

    public static func addAddress(_ address: IPv4Address, prefix: UInt8, to index: Int32) -> RouteRequest {
        let message = Self.address(RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, address, prefix, index)
        return RouteRequest(about: "add address \(address)/\(prefix) to link \(index)", message: message)
    }

    public static func deleteAddress(_ address: IPv4Address, prefix: UInt8, from index: Int32) -> RouteRequest {
        let message = Self.address(RTM_DELADDR, flags: 0, address, prefix, index)
        return RouteRequest(about: "delete address \(address)/\(prefix) from link \(index)", message: message)
    }

    /// Adds a route, or replaces the one with the same destination: through a gateway, or on a link. A prefix of 0 is
    /// the default route.
    public static func addRoute(
        to destination: IPv4Address, prefix: UInt8, via gateway: IPv4Address? = nil, link index: Int32? = nil
    ) -> RouteRequest {
        let message = route(
            RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, destination, prefix, gateway, index)
        return RouteRequest(about: "add route to \(destination)/\(prefix)", message: message)
    }

    public static func deleteRoute(
        to destination: IPv4Address, prefix: UInt8, via gateway: IPv4Address? = nil, link index: Int32? = nil
    ) -> RouteRequest {
        let message = route(RTM_DELROUTE, flags: 0, destination, prefix, gateway, index)
        return RouteRequest(about: "delete route to \(destination)/\(prefix)", message: message)
    }

    /// Leads a network out of the namespace that the kernel takes for its own, such as part of the loopback one: a route
    /// in the table that is looked at first, where longer prefixes are found before shorter ones.
    ///
    /// - Parameter source: one of the namespace's addresses, which packets there have.
    static func addDetour(
        of network: IPv4Network, via gateway: IPv4Address, from source: IPv4Address
    ) -> RouteRequest {
        var message = route(
            RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, network.base, network.prefix, gateway, nil,
            table: RT_TABLE_LOCAL)
        message.add(RTA_PREFSRC, source.value.bigEndian)
        return RouteRequest(about: "lead \(network) out", message: message)
    }

    /// Keeps frames of a link that is in a bridge from the other links like it: they go to the bridge's own, and come
    /// from there, alone.
    public static func isolate(_ name: String) -> RouteRequest {
        var message = NetlinkMessage(RTM_NEWLINK, ifinfomsg())
        message.add(IFLA_IFNAME, name)
        message.nest(IFLA_LINKINFO) { info in
            info.add(IFLA_INFO_SLAVE_KIND, "bridge")
            info.nest(IFLA_INFO_SLAVE_DATA) { $0.add(IFLA_BRPORT_ISOLATED, [1]) }
        }
        return RouteRequest(about: "isolate link \(name)", message: message)
    }

    private static func link(up: Bool) -> ifinfomsg {
        var header = ifinfomsg()
        if up {
            header.ifi_flags = UInt32(IFF_UP)
            header.ifi_change = UInt32(IFF_UP)
        }
        return header
    }

    private static func address(
        _ type: some BinaryInteger, flags: Int32, _ address: IPv4Address, _ prefix: UInt8, _ index: Int32
    ) -> NetlinkMessage {
        var header = ifaddrmsg()
        header.ifa_family = UInt8(AF_INET)
        header.ifa_prefixlen = prefix
        header.ifa_index = UInt32(bitPattern: index)
        var message = NetlinkMessage(type, flags: flags, header)
        message.add(IFA_LOCAL, address.value.bigEndian)
        message.add(IFA_ADDRESS, address.value.bigEndian)
        return message
    }

    private static func route(
        _ type: some BinaryInteger, flags: Int32, _ destination: IPv4Address, _ prefix: UInt8, _ gateway: IPv4Address?,
        _ index: Int32?, table: rt_class_t = RT_TABLE_MAIN
    ) -> NetlinkMessage {
        var header = rtmsg()
        header.rtm_family = UInt8(AF_INET)
        header.rtm_dst_len = prefix
        header.rtm_table = UInt8(table.rawValue)
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_scope = UInt8((gateway == nil ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE).rawValue)
        header.rtm_type = UInt8(RTN_UNICAST)
        var message = NetlinkMessage(type, flags: flags, header)
        if prefix > 0 { message.add(RTA_DST, destination.value.bigEndian) }
        if let gateway { message.add(RTA_GATEWAY, gateway.value.bigEndian) }
        if let index { message.add(RTA_OIF, UInt32(bitPattern: index)) }
        return message
    }
}
