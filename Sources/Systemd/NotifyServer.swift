import CSystemd
import Dispatch
import Glibc

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
    // A dispatch source may be used from any thread; its type only does not say so.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    /// Binds the socket at `path`, in place of one that a dead process left there.
    public init(path: String) throws(OpenError) {
        self.path = path
        unlink(path)
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw OpenError(path: path, errno: errno) }
        guard let (address, length) = UnixAddress.make(path) else {
            Glibc.close(descriptor)
            throw OpenError(path: path, errno: ENAMETOOLONG)
        }
        var bound = address
        let result = withUnsafePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else {
            let reason = errno
            Glibc.close(descriptor)
            throw OpenError(path: path, errno: reason)
        }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &on, socklen_t(MemoryLayout<Int32>.size))

        let (messages, continuation) = AsyncStream<Message>.makeStream()
        self.messages = messages
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "notify"))
        source.setEventHandler {
            while let message = Self.receive(descriptor) { continuation.yield(message) }
        }
        source.setCancelHandler {
            Glibc.close(descriptor)
            continuation.finish()
        }
        source.activate()
        self.source = source
    }

    /// Stops receiving and removes the socket.
    public func close() {
        unlink(path)
        source.cancel()
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
