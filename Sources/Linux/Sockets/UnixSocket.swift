import CLinux
import Glibc

/// A stream connection over a Unix socket that can carry descriptors. Its calls block: use it on a thread of its own.
public struct UnixSocket: Sendable {
    private let descriptor: SharedDescriptor

    /// A connection that exists; its calls are those of the descriptor, which stays its owner's.
    public init(descriptor: SharedDescriptor) { self.descriptor = descriptor }

    /// Listens at `path`, for this user alone, in place of a socket that a dead process left there.
    public static func listen(_ path: String) throws(SystemError) -> UnixSocket {
        unlink(path)
        return try open(path, "bind") { descriptor, address, length in
            // A socket's name gets the mode that the socket has by then.
            fchmod(descriptor, 0o600) == 0 && bind(descriptor, address, length) == 0
                && Glibc.listen(descriptor, 64) == 0
        }
    }

    public static func connect(_ path: String) throws(SystemError) -> UnixSocket {
        try open(path, "connect") { Glibc.connect($0, $1, $2) == 0 }
    }

    private static func open(
        _ path: String, _ call: String, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) throws(SystemError) -> UnixSocket {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(call, errno: ENAMETOOLONG, path)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = try makeSocket(domain: AF_UNIX, type: Int32(SOCK_STREAM.rawValue))
        let done = descriptor.withRawValue { number in
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        guard done else { throw SystemError(call, path) }
        return UnixSocket(descriptor: SharedDescriptor(descriptor))
    }

    /// The next connection; nil when the listening socket has been closed.
    public func accept() -> UnixSocket? {
        while true {
            do throws(SystemError) {
                return UnixSocket(descriptor: try descriptor.accept())
            } catch  where error.errno == ECONNABORTED {
                continue
            } catch {
                return nil
            }
        }
    }

    /// Sends all the bytes, the descriptors with the first of them.
    public func send(_ bytes: [UInt8], descriptors: [SharedDescriptor] = []) throws(SystemError) {
        let leases = try descriptors.map { shared throws(SystemError) in try shared.lease() }
        defer { withExtendedLifetime(leases) {} }
        var sent = 0
        while sent < bytes.count {
            let carried = sent == 0 ? leases.map(\.number) : []
            sent += try descriptor.withRawValue { number throws(SystemError) in
                try check("sendmsg") {
                    bytes[sent...].withUnsafeBytes {
                        clinux_send_descriptors(number, $0.baseAddress, $0.count, carried, Int32(carried.count))
                    }
                }
            }
        }
    }

    /// Receives some bytes and descriptors; no bytes at the other side's end.
    public func receive(
        atMost capacity: Int = 65_536
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [SharedDescriptor]) {
        var descriptors = [Int32](repeating: -1, count: 16)
        var taken: Int32 = 0
        var bytes = [UInt8](repeating: 0, count: capacity)
        let received = try descriptor.withRawValue { number throws(SystemError) in
            try check("recvmsg") {
                taken = 16
                return clinux_receive_descriptors(number, &bytes, capacity, &descriptors, &taken)
            }
        }
        return (Array(bytes[..<received]), descriptors.prefix(Int(taken)).map(SharedDescriptor.init(owning:)))
    }

    /// Ends the connection, or the listening, and a blocked `accept` or `receive` of another thread.
    public func close() { descriptor.hangUp() }
}
