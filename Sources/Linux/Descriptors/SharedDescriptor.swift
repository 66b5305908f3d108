import CLinux
import Glibc
import Synchronization

/// A descriptor that several threads or values use: closed when the last use has ended, after `close` or with the last
/// reference.
///
/// After `close` a use is an error, never a call on whatever file has got the same number since.
public final class SharedDescriptor: Sendable {
    /// Each use holds a reference for as long as it lasts.
    private final class Open: Sendable {
        let descriptor: Descriptor

        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    private let open: Mutex<Open?>

    public init(_ descriptor: consuming Descriptor) { open = Mutex(Open(descriptor)) }

    public convenience init(owning number: Int32) { self.init(Descriptor(owning: number)) }

    public var isClosed: Bool { open.withLock { $0 == nil } }

    /// Lends the number for the time of one call.
    ///
    /// - Throws: what `body` throws; `EBADF` after `close`, without a call.
    public func withRawValue<Result>(
        _ body: (Int32) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        guard let open = open.withLock({ $0 }) else {
            throw SystemError("use", errno: EBADF, "a descriptor that is closed")
        }
        return try withExtendedLifetime(open) { () throws(SystemError) in try open.descriptor.withRawValue(body) }
    }

    /// No further use begins; one that is under way ends by itself. A second `close` does nothing.
    public func close() { _ = open.withLock { $0.take() } }

    /// Shuts a socket down and closes it: calls of other threads on it end at once.
    ///
    /// Not for a socket that other processes share: it is shut down for them too.
    public func hangUp() {
        guard let open = open.withLock({ $0.take() }) else { return }
        open.descriptor.withRawValue { _ = Glibc.shutdown($0, Int32(SHUT_RDWR)) }
    }

    /// Another descriptor of the same open file, closed on exec.
    public func copy() throws(SystemError) -> SharedDescriptor {
        try withRawValue { number throws(SystemError) in
            SharedDescriptor(owning: try check("dup") { fcntl(number, F_DUPFD_CLOEXEC, 0) })
        }
    }

    /// Whether calls return `EAGAIN` in place of waiting.
    public func setNonBlocking(_ on: Bool) throws(SystemError) {
        try withRawValue { number throws(SystemError) in
            let flags = try check("fcntl") { clinux_get_flags(number) }
            _ = try check("fcntl") { clinux_set_flags(number, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) }
        }
    }
}
