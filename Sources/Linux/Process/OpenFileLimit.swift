import CLinux
import Glibc
import Synchronization

/// How many descriptors this process may have open (RLIMIT_NOFILE).
///
/// The soft limit that processes begin with is as low as it is for the sake of programs that use select(2). The cluster's
/// own raise it for themselves; workloads get what was there before.
public enum OpenFileLimit {
    public struct Values: Sendable, Hashable {
        public let soft: UInt64
        public let hard: UInt64
    }

    /// Tells a process what its parent had before it raised its limit, for what that process starts in its turn.
    public static let variable = "MARTLET_OPEN_FILES"

    private static let before = Mutex<Values?>(nil)

    /// The limits of this process as they are.
    public static var current: Values {
        var (soft, hard): (UInt64, UInt64) = (0, 0)
        clinux_get_open_files(&soft, &hard)
        return Values(soft: soft, hard: hard)
    }

    /// What there was before anybody raised it.
    public static var inherited: Values { before.withLock { $0 } ?? original }

    private static var original: Values {
        let values = current
        let told = getenv(variable).flatMap { UInt64(String(cString: $0)) }
        return Values(soft: told.map { min($0, values.hard) } ?? values.soft, hard: values.hard)
    }

    /// Raises the soft limit to the hard one.
    public static func raise() {
        before.withLock { before in
            guard before == nil else { return }
            before = original
            let hard = current.hard
            clinux_set_open_files(hard, hard)
        }
    }
}
