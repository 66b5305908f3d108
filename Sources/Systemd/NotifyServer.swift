import CSystemd
import Glibc
import Linux

/// Receives what services send with `Notify`, and from which process.
public final class NotifyServer: Sendable {
    public struct Message: Sendable, Hashable {
        /// The sender, as the kernel vouches for it.
        public let pid: Int32
        /// `READY` → `1`, `STATUS` → text, …
        public let assignments: [String: String]

        public init(pid: Int32, assignments: [String: String]) {
            self.pid = pid
            self.assignments = assignments
        }
    }

    public struct OpenError: Error, Sendable, CustomStringConvertible {
        public let path: String
        public let errno: Int32
        public var description: String { "cannot open the notify socket \(path): \(String(cString: strerror(errno)))" }
    }

    /// Set as `NOTIFY_SOCKET` in the environment of the services.
    public let path: String
    /// Each message, in order of arrival. One consumer.
    public let messages: AsyncStream<Message>
    private let socket: SharedDescriptor
    private let continuation: AsyncStream<Message>.Continuation

    /// Binds the socket at `path`, in place of one that a dead process left there.
    public init(path: String) throws(OpenError) {
        self.path = path
        unlink(path)
        guard let (address, length) = UnixAddress.make(path) else {
            throw OpenError(path: path, errno: ENAMETOOLONG)
        }
        do throws(SystemError) {
            let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            socket = SharedDescriptor(try makeSocket(domain: AF_UNIX, type: kind))
            (messages, continuation) = AsyncStream<Message>.makeStream()
            try Self.bind(socket, address, length)
            try listen()
        } catch {
            throw OpenError(path: path, errno: error.errno)
        }
    }

    private static func bind(
        _ socket: SharedDescriptor, _ address: sockaddr_un, _ length: socklen_t
    ) throws(SystemError) {
        var address = address
        try socket.withRawValue { number throws(SystemError) in
            // Its name gets the mode that the socket has by then: all senders are this user's.
            fchmod(number, 0o600)
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(number, $0, length) }
            }
            guard result == 0 else { throw SystemError("bind") }
            var on: Int32 = 1
            setsockopt(number, SOL_SOCKET, SO_PASSCRED, &on, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Reads what has come as soon as something has, until `close`.
    private func listen() throws(SystemError) {
        _ = try Poller.shared.whenReadable(socket) { [self] in
            do throws(SystemError) {
                while let message = try socket.withRawValue({ Self.receive($0) }) { continuation.yield(message) }
                try listen()
            } catch {
                continuation.finish()
            }
        }
    }

    /// Stops receiving and removes the socket.
    public func close() {
        unlink(path)
        socket.hangUp()
        continuation.finish()
    }

    private static func receive(_ descriptor: Int32) -> Message? {
        var pid: Int32 = 0
        let text = [CChar](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, csystemd_receive(descriptor, buffer.baseAddress, UInt(buffer.count), &pid))
        }
        guard !text.isEmpty else { return nil }
        var assignments: [String: String] = [:]
        let whole = String(decoding: text.map(UInt8.init(bitPattern:)), as: UTF8.self)
        for line in whole.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { assignments[String(parts[0])] = String(parts[1]) }
        }
        return Message(pid: pid, assignments: assignments)
    }
}
