import CLinux
import Glibc

/// A stream connection over a Unix socket that can carry descriptors. Its calls block: use it on a thread of its own.
public struct UnixSocket: Sendable, Hashable {
    public let descriptor: Int32

    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Listens at `path`, in place of a socket that a dead process left there.
    public static func listen(_ path: String) throws(SystemError) -> UnixSocket {
        unlink(path)
        return try open(path, "bind") { descriptor, address, length in
            bind(descriptor, address, length) == 0 && Glibc.listen(descriptor, 64) == 0
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
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket", path) }
        let done = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard done else {
            let error = SystemError(call, path)
            Glibc.close(descriptor)
            throw error
        }
        return UnixSocket(descriptor: descriptor)
    }

    /// The next connection; nil when the listening socket has been shut down.
    public func accept() -> UnixSocket? {
        while true {
            let accepted = clinux_accept(descriptor)
            if accepted >= 0 { return UnixSocket(descriptor: accepted) }
            if errno != EINTR && errno != ECONNABORTED { return nil }
        }
    }

    /// Sends all the bytes, the descriptors with the first of them.
    public func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            let carried = sent == 0 ? descriptors : []
            let count = bytes[sent...].withUnsafeBytes {
                clinux_send_descriptors(descriptor, $0.baseAddress, $0.count, carried, Int32(carried.count))
            }
            guard count >= 0 else { throw SystemError("sendmsg") }
            sent += count
        }
    }

    /// Receives some bytes and descriptors; no bytes at the other side's end.
    public func receive(atMost capacity: Int = 65_536) throws(SystemError) -> (bytes: [UInt8], descriptors: [Int32]) {
        var descriptors = [Int32](repeating: -1, count: 16)
        var taken = Int32(descriptors.count)
        var received = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            received = clinux_receive_descriptors(descriptor, buffer.baseAddress, capacity, &descriptors, &taken)
            count = max(0, received)
        }
        guard received >= 0 else { throw SystemError("recvmsg") }
        return (bytes, Array(descriptors.prefix(Int(taken))))
    }

    /// Ends a blocked `accept` or `receive` of another thread.
    public func shutdown() { Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

    public func close() { Glibc.close(descriptor) }
}
