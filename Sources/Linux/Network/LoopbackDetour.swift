import Addresses
import CLinux
import Glibc

/// Leads part of the loopback network out of a network namespace, as another network.
///
/// The kernel throws packets away that come by a link and have a loopback address, unless `route_localnet` is set, which
/// would open all of the namespace's loopback to the link. So packets have other addresses on the way: those that leave
/// get theirs before they are routed any further, those that arrive get their old ones back once they have been routed,
/// and programs see but these. No connection is tracked for that: each address has exactly one other.
package enum LoopbackDetour {
    /// - Parameters:
    ///   - range: a network within 127.0.0.0/8 with a prefix of 16.
    ///   - substitute: what it is on the way; with a prefix of 16.
    ///   - gateway: through which it leaves, from `source`, an address of the namespace.
    ///   - isFirst: there is none yet in the namespace.
    package static func make(
        of range: IPv4Network, as substitute: IPv4Network, via gateway: IPv4Address, from source: IPv4Address,
        in namespace: SharedDescriptor?, isFirst: Bool = false
    ) throws(SystemError) {
        var route = try RouteSocket(namespace: namespace)
        try route.perform([.addDetour(of: range, via: gateway, from: source)])
        // Removed first, an earlier one has the end of the socket wait until the kernel has let go of it, some 8 ms.
        let former = isFirst ? [] : [table(NFT_MSG_NEWTABLE), table(NFT_MSG_DELTABLE)]
        let messages =
            former + [
                table(NFT_MSG_NEWTABLE),
                chain("out", hook: localOut, priority: -400),
                chain("in", hook: localIn, priority: 400),
                rule("out", at: destination, from: range, to: substitute),
                rule("in", at: self.source, from: substitute, to: range),
            ]
        let socket = try makeSocket(
            in: namespace, domain: AF_NETLINK, type: Int32(SOCK_RAW.rawValue), protocol: NETLINK_NETFILTER)
        try socket.withRawValue { number throws(SystemError) in try send(messages, number) }
    }

    private static let name = "martlet-loopback"

    // Of <linux/netfilter.h>, which does not go together with the C library's headers: hooks, and the family.
    private static let localIn: UInt32 = 1
    private static let localOut: UInt32 = 3
    private static let ipv4: UInt8 = 2

    // Where the addresses are in an IPv4 header, and its checksum.
    private static let source: UInt32 = 12
    private static let destination: UInt32 = 16
    private static let checksum: UInt32 = 10

    /// All of them, or none (nfnetlink's batches).
    private static func send(_ messages: [NetlinkMessage], _ socket: Int32) throws(SystemError) {
        let subsystem = UInt16(NFNL_SUBSYS_NFTABLES).bigEndian
        var bytes = NetlinkMessage(NFNL_MSG_BATCH_BEGIN, Header(family: 0, resource: subsystem)).encoded(sequence: 0)
        for (index, message) in messages.enumerated() {
            bytes += message.encoded(sequence: UInt32(index + 1))
        }
        bytes += NetlinkMessage(NFNL_MSG_BATCH_END, Header(family: 0, resource: subsystem))
            .encoded(sequence: UInt32(messages.count + 1))
        try check("send", "nfnetlink") { Glibc.send(socket, bytes, bytes.count, 0) }
        var answered = 0
        var failure: Int32 = 0
        while answered < messages.count, failure == 0 {
            try receiveNetlink(socket, "nfnetlink") { header, body in
                guard header.nlmsg_type == UInt16(NLMSG_ERROR) else { return }
                answered += 1
                let code = -body.loadUnaligned(as: Int32.self)
                if failure == 0 { failure = code }
            }
        }
        if failure != 0 { throw SystemError("nftables", errno: failure, name) }
    }

    /// `struct nfgenmsg`
    private struct Header: BitwiseCopyable {
        var family = LoopbackDetour.ipv4
        var version: UInt8 = 0
        var resource: UInt16 = 0
    }

    private static func message(_ kind: nf_tables_msg_types, _ flags: Int32 = 0) -> NetlinkMessage {
        NetlinkMessage(
            UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(kind.rawValue), flags: NLM_F_ACK | NLM_F_CREATE | flags, Header()
        )
    }

    private static func table(_ kind: nf_tables_msg_types) -> NetlinkMessage {
        var message = message(kind)
        message.add(NFTA_TABLE_NAME, name)
        return message
    }

    private static func chain(_ chain: String, hook: UInt32, priority: Int32) -> NetlinkMessage {
        var message = message(NFT_MSG_NEWCHAIN)
        message.add(NFTA_CHAIN_TABLE, name)
        message.add(NFTA_CHAIN_NAME, chain)
        message.nest(NFTA_CHAIN_HOOK) { nested in
            nested.add(NFTA_HOOK_HOOKNUM, hook.bigEndian)
            nested.add(NFTA_HOOK_PRIORITY, UInt32(bitPattern: priority).bigEndian)
        }
        message.add(NFTA_CHAIN_TYPE, "filter")
        return message
    }

    /// Where the first half of an address is that of one network, writes that of the other, and mends the checksums.
    private static func rule(
        _ chain: String, at offset: UInt32, from old: IPv4Network, to new: IPv4Network
    ) -> NetlinkMessage {
        var message = message(NFT_MSG_NEWRULE, NLM_F_APPEND)
        message.add(NFTA_RULE_TABLE, name)
        message.add(NFTA_RULE_CHAIN, chain)
        let register = UInt32(NFT_REG_1.rawValue).bigEndian
        func half(_ network: IPv4Network) -> [UInt8] { Array(network.base.bytes[..<2]) }
        func place(_ data: inout NetlinkMessage) {
            data.add(NFTA_PAYLOAD_BASE, UInt32(NFT_PAYLOAD_NETWORK_HEADER.rawValue).bigEndian)
            data.add(NFTA_PAYLOAD_OFFSET, offset.bigEndian)
            data.add(NFTA_PAYLOAD_LEN, UInt32(2).bigEndian)
        }
        message.nest(NFTA_RULE_EXPRESSIONS) { list in
            expression("payload", &list) { data in
                data.add(NFTA_PAYLOAD_DREG, register)
                place(&data)
            }
            expression("cmp", &list) { data in
                data.add(NFTA_CMP_SREG, register)
                data.add(NFTA_CMP_OP, UInt32(NFT_CMP_EQ.rawValue).bigEndian)
                data.nest(NFTA_CMP_DATA) { $0.add(NFTA_DATA_VALUE, half(old)) }
            }
            expression("immediate", &list) { data in
                data.add(NFTA_IMMEDIATE_DREG, register)
                data.nest(NFTA_IMMEDIATE_DATA) { $0.add(NFTA_DATA_VALUE, half(new)) }
            }
            expression("payload", &list) { data in
                data.add(NFTA_PAYLOAD_SREG, register)
                place(&data)
                data.add(NFTA_PAYLOAD_CSUM_TYPE, UInt32(NFT_PAYLOAD_CSUM_INET.rawValue).bigEndian)
                data.add(NFTA_PAYLOAD_CSUM_OFFSET, checksum.bigEndian)
                // That of TCP or UDP, which covers the addresses too.
                data.add(NFTA_PAYLOAD_CSUM_FLAGS, UInt32(NFT_PAYLOAD_L4CSUM_PSEUDOHDR.rawValue).bigEndian)
            }
        }
        return message
    }

    private static func expression(
        _ kind: String, _ list: inout NetlinkMessage, _ fill: (inout NetlinkMessage) -> Void
    ) {
        list.nest(NFTA_LIST_ELEM) { element in
            element.add(NFTA_EXPR_NAME, kind)
            element.nest(NFTA_EXPR_DATA, fill)
        }
    }
}
