import Glibc

/// An advisory lock on a file (flock(2)), held until the value ends, or the process: also against others in the same
/// process.
public struct FileLock: ~Copyable, Sendable {
    private let descriptor: Descriptor

    public enum Mode: Sendable { case shared, exclusive }

    /// Waits for the lock; it blocks. Makes the file where it is missing.
    public init(_ path: String, _ mode: Mode) throws(SystemError) {
        let opened = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        try opened.withRawValue { number throws(SystemError) in
            _ = try check("lock", path) { flock(number, mode == .shared ? LOCK_SH : LOCK_EX) }
        }
        descriptor = opened
    }

    /// The lock, if nobody has it now.
    ///
    /// - Throws: where the file cannot be opened or made.
    public init?(trying path: String) throws(SystemError) {
        let opened = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        guard opened.withRawValue({ flock($0, LOCK_EX | LOCK_NB) }) == 0 else { return nil }
        descriptor = opened
    }
}
