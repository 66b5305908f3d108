import Addresses
import CLinux
import Glibc

/// The kernel's table of connections of one network namespace (nfnetlink, subsystem ctnetlink).
public enum ConnectionTracking {
    /// One end of a flow.
    public struct Endpoint: Sendable, Hashable {
        public let address: IPv4Address
        public let port: UInt16

        public init(address: IPv4Address, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// Forgets the UDP flows that `endpoints` answer, so that their next datagrams are looked at anew.
    ///
    /// Reads the whole table. Blocks for less than a millisecond where it is small.
    /// - Parameter namespace: nil for the namespace of this process.
    /// - Returns: how many flows were forgotten.
    @discardableResult
    public static func forgetDatagramFlows(
        to endpoints: Set<Endpoint>, in namespace: SharedDescriptor? = nil
    ) throws(SystemError) -> Int {
        let type = Int32(SOCK_RAW.rawValue)
        return try makeSocket(in: namespace, domain: AF_NETLINK, type: type, protocol: netfilterFamily)
            .withRawValue { socket throws(SystemError) in try forgetDatagramFlows(to: endpoints, socket) }
    }

    private static func forgetDatagramFlows(
        to endpoints: Set<Endpoint>, _ descriptor: Int32
    ) throws(SystemError) -> Int {
        var forgotten = 0
        for tuple in try originals(answeredBy: endpoints, descriptor) {
            var request = NetlinkMessage(subsystem | 2, flags: NLM_F_ACK, Header())
            request.add(1 | UInt16(NLA_F_NESTED), tuple)
            let bytes = request.encoded(sequence: 2)
            try check("send", "nfnetlink") { send(descriptor, bytes, bytes.count, 0) }
            try receiveNetlink(descriptor, "nfnetlink") { header, body in
                let type = header.nlmsg_type
                // A flow may have ended in the meantime.
                if type == UInt16(NLMSG_ERROR), body.loadUnaligned(as: Int32.self) == 0 { forgotten += 1 }
            }
        }
        return forgotten
    }

    private static let netfilterFamily: Int32 = 12
    /// NFNL_SUBSYS_CTNETLINK; the low byte is the message: 1 to get, 2 to delete.
    private static let subsystem: UInt16 = 1 << 8

    /// `struct nfgenmsg`
    private struct Header: BitwiseCopyable {
        var family = UInt8(AF_INET)
        var version: UInt8 = 0
        var resource: UInt16 = 0
    }

    /// The tuples, as attributes, of the UDP flows whose answers come from one of `endpoints`.
    private static func originals(answeredBy endpoints: Set<Endpoint>, _ descriptor: Int32) throws(SystemError)
        -> [[UInt8]]
    {
        let bytes = NetlinkMessage(subsystem | 1, flags: NLM_F_ROOT | NLM_F_MATCH, Header()).encoded(sequence: 1)
        try check("send", "nfnetlink") { send(descriptor, bytes, bytes.count, 0) }
        var found: [[UInt8]] = []
        var done = false
        while !done {
            try receiveNetlink(descriptor, "nfnetlink") { header, body in
                let type = header.nlmsg_type
                if type == UInt16(NLMSG_DONE) || type == UInt16(NLMSG_ERROR) { done = true }
                guard type >> 8 == 1 else { return }
                let attributes = Self.attributes(body, from: MemoryLayout<Header>.size)
                guard let original = attributes[1], let reply = attributes[2], let source = datagramSource(reply),
                    endpoints.contains(source)
                else { return }
                found.append(Array(original))
            }
        }
        return found
    }

    /// The source of a tuple (CTA_TUPLE_IP, CTA_TUPLE_PROTO) of a UDP flow.
    private static func datagramSource(_ tuple: UnsafeRawBufferPointer) -> Endpoint? {
        let parts = attributes(tuple)
        guard let network = parts[1].map({ attributes($0) }), let transport = parts[2].map({ attributes($0) }),
            let address = network[1], address.count == 4, transport[1]?.first == UInt8(IPPROTO_UDP),
            let port = transport[2], port.count == 2
        else { return nil }
        return Endpoint(
            address: IPv4Address(UInt32(bigEndian: address.loadUnaligned(as: UInt32.self))),
            port: UInt16(bigEndian: port.loadUnaligned(as: UInt16.self)))
    }

    private static func attributes(
        _ bytes: UnsafeRawBufferPointer, from start: Int = 0
    ) -> [UInt16: UnsafeRawBufferPointer] {
        var found: [UInt16: UnsafeRawBufferPointer] = [:]
        var position = start
        while position + 4 <= bytes.count {
            let length = Int(bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self))
            guard length >= 4, position + length <= bytes.count else { break }
            // The two highest bits say that it is nested, and its byte order.
            let type = bytes.loadUnaligned(fromByteOffset: position + 2, as: UInt16.self) & 0x3FFF
            found[type] = UnsafeRawBufferPointer(rebasing: bytes[position + 4..<position + length])
            position += (length + 3) & ~3
        }
        return found
    }
}
