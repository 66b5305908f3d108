import CLinux
import Glibc

/// A connection that keeps the borders of messages and carries descriptors (unix(7), SOCK_SEQPACKET). A message is at
/// most some 200 kB.
public struct PacketSocket: Sendable {
    public let descriptor: SharedDescriptor

    public init(descriptor: SharedDescriptor) { self.descriptor = descriptor }

    private static let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    /// Binds and listens, in place of a socket that a dead process left there.
    public static func listen(_ path: String, mode: mode_t = 0o600) throws(SystemError) -> PacketSocket {
        try make(path) { descriptor, address, length throws(SystemError) in
            unlink(path)
            // A socket's name gets the mode that the socket has by then.
            try check("chmod", path) { fchmod(descriptor, mode) }
            try check("bind", path) { bind(descriptor, address, length) }
            try check("listen", path) { Glibc.listen(descriptor, 16) }
        }
    }

    /// Connects, at once or not at all.
    public static func connect(_ path: String) throws(SystemError) -> PacketSocket {
        try make(path) { descriptor, address, length throws(SystemError) in
            try check("connect", path) { Glibc.connect(descriptor, address, length) }
        }
    }

    public static func pair() throws(SystemError) -> (PacketSocket, PacketSocket) {
        var ends: [Int32] = [-1, -1]
        try check("socketpair") { socketpair(AF_UNIX, type, 0, &ends) }
        return (
            PacketSocket(descriptor: SharedDescriptor(owning: ends[0])),
            PacketSocket(descriptor: SharedDescriptor(owning: ends[1]))
        )
    }

    /// `receive` returns the sender's process from now on.
    public func requestCredentials() throws(SystemError) {
        var on: Int32 = 1
        try descriptor.withRawValue { number throws(SystemError) in
            _ = try check("setsockopt") { setsockopt(number, SOL_SOCKET, SO_PASSCRED, &on, 4) }
        }
    }

    public func setNonBlocking(_ on: Bool) throws(SystemError) {
        try descriptor.setNonBlocking(on)
    }

    /// Sends bytes with descriptors, of which the receiver gets copies. Blocks if the receiver's buffer is full,
    /// unless the socket is non-blocking (`EAGAIN`).
    public func send(_ bytes: [UInt8], descriptors: [SharedDescriptor] = []) throws(SystemError) {
        let leases = try descriptors.map { shared throws(SystemError) in try shared.lease() }
        defer { withExtendedLifetime(leases) {} }
        try descriptor.withRawValue { number throws(SystemError) in
            _ = try check("send") {
                clinux_send(
                    number, bytes, bytes.count, leases.map(\.number), Int32(leases.count), 0)
            }
        }
    }

    public struct Message: Sendable {
        /// Empty when the other side has closed.
        public var bytes: [UInt8]
        public var descriptors: [SharedDescriptor]
        /// Named by the sender, where `requestCredentials` was called; else 0.
        public var process: Int32
    }

    /// Receives a message. Blocks until there is one, unless the socket is non-blocking (`EAGAIN`).
    public func receive(upTo size: Int = 65536) throws(SystemError) -> Message {
        var descriptors = [Int32](repeating: -1, count: 16)
        var count: Int32 = 0
        var process: pid_t = 0
        var received = 0
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            do throws(SystemError) {
                received = try descriptor.withRawValue { number throws(SystemError) in
                    try check("receive") {
                        count = 16
                        return clinux_receive(
                            number, buffer.baseAddress, size, &descriptors, &count, &process, 0)
                    }
                }
                initialized = received
            } catch { failure = error }
        }
        if let failure { throw failure }
        return Message(
            bytes: bytes, descriptors: descriptors[..<Int(count)].map(SharedDescriptor.init(owning:)), process: process)
    }

    /// Ends the connection for all who use this end of it.
    public func close() { descriptor.hangUp() }

    private static func make(
        _ path: String, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) -> PacketSocket {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("socket", errno: ENAMETOOLONG, path)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = Descriptor(owning: try check("socket") { socket(AF_UNIX, type, 0) })
        try descriptor.withRawValue { number throws(SystemError) in
            try withUnsafePointer(to: &address) { pointer throws(SystemError) in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic throws(SystemError) in
                    try body(number, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        return PacketSocket(descriptor: SharedDescriptor(descriptor))
    }
}
