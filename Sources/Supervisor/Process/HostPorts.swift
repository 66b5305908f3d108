import Addresses
import Glibc
import Linux

/// The host-side sockets of a cluster: bound here, in the host's namespace, and handed to whoever serves them.
///
/// Each stays open here too, so that connections wait while the one that serves them is started again.
struct HostPorts {
    struct Address: Hashable {
        var address: String
        var port: Int
        /// `TCP` or `UDP`
        var transport: String
    }

    private var bound: [Address: SharedDescriptor] = [:]

    /// The socket for an address, bound now or earlier.
    ///
    /// - Parameter namespace: the network namespace in which it is bound; nil for this process's own.
    mutating func bind(_ address: Address, in namespace: SharedDescriptor? = nil) throws(SystemError)
        -> SharedDescriptor
    {
        if let descriptor = bound[address] { return descriptor }
        let descriptor = SharedDescriptor(try Self.open(address, in: namespace))
        bound[address] = descriptor
        return descriptor
    }

    /// Shares the sockets that an earlier supervisor gave to a process, where it still has them.
    mutating func takeOver(_ addresses: [Address], from pid: pid_t) {
        let wanted = Set(addresses)
        for number in Int32(3)..<32 {
            guard let descriptor = try? duplicateDescriptor(number, of: pid) else { continue }
            if let address = descriptor.withRawValue({ Self.address(of: $0) }), wanted.contains(address),
                bound[address] == nil
            {
                bound[address] = SharedDescriptor(descriptor)
            }
        }
    }

    /// Whoever else has the socket keeps it.
    mutating func release(_ address: Address) { bound[address] = nil }

    mutating func releaseAll() { bound = [:] }

    /// The port that a socket got.
    static func port(of descriptor: borrowing Descriptor) -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        descriptor.withRawValue { number in
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(number, $0, &length) }
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// What an IPv4 socket that awaits others is bound to; nil for any other descriptor.
    private static func address(of descriptor: Int32) -> Address? {
        func option(_ name: Int32) -> Int32? {
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
        }
        guard option(SO_DOMAIN) == AF_INET, let kind = option(SO_TYPE) else { return nil }
        let stream = kind == Int32(SOCK_STREAM.rawValue)
        guard !stream || option(SO_ACCEPTCONN) == 1 else { return nil }
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        return Address(
            address: IPv4Address(UInt32(bigEndian: name.sin_addr.s_addr)).description,
            port: Int(UInt16(bigEndian: name.sin_port)), transport: stream ? "TCP" : "UDP")
    }

    static func open(
        _ address: Address, in namespace: SharedDescriptor? = nil
    ) throws(SystemError) -> Descriptor {
        let subject = "\(address.address):\(address.port)/\(address.transport)"
        let stream = address.transport == "TCP"
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(truncatingIfNeeded: address.port).bigEndian
        guard let host = IPv4Address(address.address), (0...65_535).contains(address.port) else {
            throw SystemError("bind", errno: EINVAL, subject)
        }
        name.sin_addr.s_addr = host.value.bigEndian
        let kind = Int32((stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        let descriptor = try makeSocket(in: namespace, domain: AF_INET, type: kind)
        try descriptor.withRawValue { number throws(SystemError) in
            var on: Int32 = 1
            if stream { setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size)) }
            let result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0, !stream || listen(number, 4096) == 0 else { throw SystemError("bind", subject) }
        }
        return descriptor
    }
}
