import CLinux
import Glibc

/// A conversation with the kernel about the links, addresses and routes of one network namespace.
///
/// Calls return as soon as the kernel has done the work: some tens of microseconds a request.
public struct RouteSocket: ~Copyable {
    private let socket: Descriptor
    private var sequence: UInt32 = 0

    /// - Parameter namespace: a descriptor of `/proc/PID/ns/net`; nil for this process's own.
    public init(namespace: SharedDescriptor? = nil) throws(SystemError) {
        socket = try makeSocket(
            in: namespace, domain: AF_NETLINK, type: Int32(SOCK_RAW.rawValue), protocol: NETLINK_ROUTE)
    }

    /// Carries out requests in order, in one exchange; later ones are done also where an earlier one failed.
    ///
    /// - Parameter ignoring: errors that mean that there is nothing to do, such as `EEXIST`.
    /// - Throws: the first other error.
    public mutating func perform(_ requests: [RouteRequest], ignoring: Set<Int32> = []) throws(SystemError) {
        // The kernel answers while it reads: batches stay small enough for its answers to fit the receive buffer.
        var first: SystemError?
        for start in stride(from: 0, to: requests.count, by: 64) {
            let batch = requests[start..<min(start + 64, requests.count)]
            let base = sequence &+ 1
            var bytes: [UInt8] = []
            for request in batch {
                sequence &+= 1
                var message = request.message.encoded(sequence: sequence)
                message[6] |= UInt8(NLM_F_ACK)
                bytes += message
            }
            try send(bytes)
            var missing = batch.count
            while missing > 0 {
                try receive { header, body in
                    guard header.nlmsg_type == UInt16(NLMSG_ERROR) else { return }
                    missing -= 1
                    let code = -body.loadUnaligned(as: Int32.self)
                    if code == 0 || ignoring.contains(code) || first != nil { return }
                    let position = batch.startIndex + Int(header.nlmsg_seq &- base)
                    let about = batch.indices.contains(position) ? batch[position].about : ""
                    first = SystemError("netlink", errno: code, about)
                }
            }
        }
        if let first { throw first }
    }

    /// The index of a link; nil if there is none of this name.
    public mutating func index(of name: String) throws(SystemError) -> Int32? {
        var message = NetlinkMessage(RTM_GETLINK, ifinfomsg())
        message.add(IFLA_IFNAME, name)
        sequence &+= 1
        let bytes = message.encoded(sequence: sequence)
        try send(bytes)
        var result: Int32?
        var failure: Int32 = 0
        try receive { header, body in
            if header.nlmsg_type == UInt16(NLMSG_ERROR) {
                failure = -body.loadUnaligned(as: Int32.self)
            } else if Int(header.nlmsg_type) == RTM_NEWLINK {
                result = body.loadUnaligned(as: ifinfomsg.self).ifi_index
            }
        }
        if failure != 0, failure != ENODEV {
            throw SystemError("netlink", errno: failure, name)
        }
        return result
    }

    /// The names and indices of all links.
    public mutating func links() throws(SystemError) -> [String: Int32] {
        sequence &+= 1
        let bytes = NetlinkMessage(RTM_GETLINK, flags: NLM_F_ROOT | NLM_F_MATCH, ifinfomsg()).encoded(
            sequence: sequence)
        try send(bytes)
        var result: [String: Int32] = [:]
        var done = false
        while !done {
            try receive { header, body in
                if header.nlmsg_type == UInt16(NLMSG_DONE) || header.nlmsg_type == UInt16(NLMSG_ERROR) { done = true }
                guard Int(header.nlmsg_type) == RTM_NEWLINK else { return }
                var position = MemoryLayout<ifinfomsg>.size
                while position + 4 <= body.count {
                    let length = Int(body.loadUnaligned(fromByteOffset: position, as: UInt16.self))
                    let type = body.loadUnaligned(fromByteOffset: position + 2, as: UInt16.self)
                    guard length >= 4, position + length <= body.count else { break }
                    if type == UInt16(IFLA_IFNAME) {
                        let name = body[position + 4..<position + length - 1]
                        result[String(decoding: name, as: UTF8.self)] =
                            body.loadUnaligned(as: ifinfomsg.self).ifi_index
                    }
                    position += (length + 3) & ~3
                }
            }
        }
        return result
    }

    private func send(_ bytes: [UInt8]) throws(SystemError) {
        try socket.withRawValue { number throws(SystemError) in
            _ = try check("send", "netlink") { Glibc.send(number, bytes, bytes.count, 0) }
        }
    }

    private func receive(_ each: (nlmsghdr, UnsafeRawBufferPointer) -> Void) throws(SystemError) {
        try socket.withRawValue { number throws(SystemError) in try receiveNetlink(number, "netlink", each) }
    }
}
