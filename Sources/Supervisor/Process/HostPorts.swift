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

    private var bound: [Address: Int32] = [:]

    /// The socket for an address, bound now or earlier.
    mutating func bind(_ address: Address) throws(SystemError) -> Int32 {
        if let descriptor = bound[address] { return descriptor }
        let descriptor = try Self.open(address)
        bound[address] = descriptor
        return descriptor
    }

    mutating func release(_ address: Address) {
        if let descriptor = bound.removeValue(forKey: address) { close(descriptor) }
    }

    mutating func releaseAll() {
        for descriptor in bound.values { close(descriptor) }
        bound = [:]
    }

    /// The port that a socket got.
    static func port(of descriptor: Int32) -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    static func open(_ address: Address) throws(SystemError) -> Int32 {
        let subject = "\(address.address):\(address.port)/\(address.transport)"
        let stream = address.transport == "TCP"
        let kind = Int32((stream ? SOCK_STREAM : SOCK_DGRAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw SystemError("socket", subject) }
        var on: Int32 = 1
        if stream { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size)) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(truncatingIfNeeded: address.port).bigEndian
        guard inet_pton(AF_INET, address.address, &name.sin_addr) == 1, (0...65_535).contains(address.port) else {
            close(descriptor)
            throw SystemError("bind", errno: EINVAL, subject)
        }
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0, !stream || listen(descriptor, 4096) == 0 else {
            let error = SystemError("bind", subject)
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
