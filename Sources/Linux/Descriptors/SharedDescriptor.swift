import CLinux
import Glibc
import Synchronization

/// A descriptor that several threads or values use: closed when the last use has ended, after `close` or with the last
/// reference.
///
/// After `close` a use is an error, never a call on whatever file has got the same number since.
public final class SharedDescriptor: Sendable {
    /// Each use holds a reference for as long as it lasts.
    package final class Lease: Sendable {
        fileprivate let descriptor: Descriptor

        fileprivate init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

        /// Another file's as soon as the lease ends.
        package var number: Int32 { descriptor.withRawValue { $0 } }
    }

    private let open: Mutex<Lease?>

    public init(_ descriptor: consuming Descriptor) { open = Mutex(Lease(descriptor)) }

    public convenience init(owning number: Int32) { self.init(Descriptor(owning: number)) }

    public var isClosed: Bool { open.withLock { $0 == nil } }

    /// Lends the number for longer than one call.
    package func lease() throws(SystemError) -> Lease {
        guard let open = open.withLock({ $0 }) else {
            throw SystemError("use", errno: EBADF, "a descriptor that is closed")
        }
        return open
    }

    /// Lends the number for the time of one call.
    ///
    /// - Throws: what `body` throws; `EBADF` after `close`, without a call.
    public func withRawValue<Result: ~Copyable>(
        _ body: (Int32) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let lease = try lease()
        return try withExtendedLifetime(lease) { () throws(SystemError) in try body(lease.number) }
    }

    /// No further use begins; one that is under way ends by itself. A second `close` does nothing.
    public func close() { _ = open.withLock { $0.take() } }

    /// Shuts a socket down and closes it: calls of other threads on it end at once.
    ///
    /// Not for a socket that other processes share: it is shut down for them too.
    public func hangUp() {
        guard let last = open.withLock({ $0.take() }) else { return }
        last.descriptor.withRawValue { _ = Glibc.shutdown($0, Int32(SHUT_RDWR)) }
    }

    /// Another descriptor of the same open file, closed on exec.
    public func duplicate() throws(SystemError) -> Descriptor {
        try withRawValue { number throws(SystemError) in
            Descriptor(owning: try check("dup") { fcntl(number, F_DUPFD_CLOEXEC, 0) })
        }
    }

    /// Whether calls return `EAGAIN` in place of waiting.
    public func setNonBlocking(_ on: Bool) throws(SystemError) {
        try withRawValue { number throws(SystemError) in
            let flags = try check("fcntl") { clinux_get_flags(number) }
            _ = try check("fcntl") { clinux_set_flags(number, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) }
        }
    }

    public func status() throws(SystemError) -> stat {
        let lease = try lease()
        return try lease.descriptor.status()
    }

    /// Writes all of the bytes; it blocks, unless the descriptor is non-blocking (`EAGAIN`).
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        let lease = try lease()
        try lease.descriptor.write(bytes)
    }

    /// Makes these bytes all that a file has. Whoever reads it meanwhile may see a part.
    public func replaceContent(_ bytes: [UInt8]) throws(SystemError) {
        try withRawValue { number throws(SystemError) in
            try check("truncate") { ftruncate(number, 0) }
            try check("seek") { lseek(number, 0, SEEK_SET) }
        }
        try write(bytes)
    }

    /// Reads all until the end; it blocks.
    public func readToEnd() throws(SystemError) -> [UInt8] {
        try withRawValue { number throws(SystemError) in try readAll(number) }
    }
}

/// Makes a pipe; both ends are closed on exec.
public func makePipe() throws(SystemError) -> (reader: SharedDescriptor, writer: SharedDescriptor) {
    var ends: [Int32] = [-1, -1]
    try check("pipe") { clinux_pipe(&ends) }
    return (SharedDescriptor(owning: ends[0]), SharedDescriptor(owning: ends[1]))
}

/// A copy of a program in memory, for as long as somebody has it open or runs it: nobody can change it, whatever they may
/// do.
///
/// - Throws: `EACCES` of `memfd_create` where the system has no programs in memory (`vm.memfd_noexec`).
public func makeSealedProgram(_ path: String) throws(SystemError) -> SharedDescriptor {
    let name = String(path.split(separator: "/").last ?? "program")
    let file = Descriptor(owning: try check("memfd_create") { clinux_program_memfd(name) })
    try file.write(try readBytes(path))
    try file.withRawValue { number throws(SystemError) in
        _ = try check("seal", path) { clinux_seal(number) }
    }
    return SharedDescriptor(file)
}

/// A file in memory, for as long as somebody has it open.
public func makeMemoryFile(_ name: String, _ content: [UInt8]) throws(SystemError) -> SharedDescriptor {
    let file = Descriptor(owning: try check("memfd_create") { clinux_memfd(name) })
    try file.write(content)
    return SharedDescriptor(file)
}
