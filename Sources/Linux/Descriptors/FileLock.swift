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

extension SharedDescriptor {
    /// Takes the lock of the open file, if nobody has it now. Whoever has a descriptor of the open file has the lock,
    /// also a process that inherits one: it is free when the last of them is closed.
    public func tryLock() throws(SystemError) -> Bool {
        try withRawValue { number throws(SystemError) in
            do throws(SystemError) {
                try check("lock") { flock(number, LOCK_EX | LOCK_NB) }
                return true
            } catch  where error.errno == EWOULDBLOCK {
                return false
            }
        }
    }

    /// Whether a path names the open file, and not one that has taken its place.
    public func isNamed(_ path: String) -> Bool {
        var named = stat()
        guard lstat(path, &named) == 0, let own = try? status() else { return false }
        return own.st_dev == named.st_dev && own.st_ino == named.st_ino
    }
}
