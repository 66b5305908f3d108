import CLinux
import Glibc

/// As in `fcntl.h`, whose macro Swift does not see.
public let O_PATH: Int32 = 0o10_000_000

/// How far a path may lead that others wrote, or whose directories they fill (openat2(2)).
public struct Confinement: OptionSet, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What leads out of the directory is an error.
    public static let beneath = Confinement(rawValue: UInt64(RESOLVE_BENEATH))
    /// The directory is the root of absolute paths and links.
    public static let inRoot = Confinement(rawValue: UInt64(RESOLVE_IN_ROOT))
    /// Symbolic links are errors.
    public static let noLinks = Confinement(rawValue: UInt64(RESOLVE_NO_SYMLINKS))
    /// Links such as those in `/proc/<pid>/fd`, which lead anywhere, are errors.
    public static let noMagicLinks = Confinement(rawValue: UInt64(RESOLVE_NO_MAGICLINKS))
}

extension Descriptor {
    /// Opens a path in a directory that is open, no further than it may lead.
    public static func open(
        _ path: String, in directory: borrowing Descriptor, _ flags: Int32, mode: mode_t = 0,
        confined confinement: Confinement
    ) throws(SystemError) -> Descriptor {
        try directory.withRawValue { above throws(SystemError) in
            // The kernel asks to try again where something on the way was renamed meanwhile.
            for _ in 0..<128 {
                let number = clinux_openat2(above, path, flags | O_CLOEXEC, mode, confinement.rawValue)
                if number >= 0 { return Descriptor(owning: number) }
                guard errno == EAGAIN || errno == EINTR else { break }
            }
            throw SystemError("open", path)
        }
    }

    /// Makes the directories of a path beneath this one that are missing, with this mode whatever the umask is.
    ///
    /// - Throws: `EXDEV` where the path leads out of the directory.
    package borrowing func makeDirectories(beneath path: String, mode: mode_t) throws(SystemError) {
        var made = "."
        for name in path.split(separator: "/") where name != "." {
            let parent = try Descriptor.open(made, in: self, O_PATH | O_DIRECTORY, confined: .beneath)
            made += "/\(name)"
            let isNew = try parent.withRawValue { number throws(SystemError) in
                if mkdirat(number, String(name), mode) == 0 { return true }
                guard errno == EEXIST else { throw SystemError("mkdir", path) }
                return false
            }
            guard isNew else { continue }
            try Descriptor.open(made, in: self, O_RDONLY | O_DIRECTORY, confined: [.beneath, .noLinks])
                .withRawValue { number throws(SystemError) in _ = try check("chmod", path) { fchmod(number, mode) } }
        }
    }

    /// Reads a file that others may have made: a regular one, of at most `limit` bytes.
    ///
    /// - Throws: `EINVAL` for what is no regular file, `EFBIG` for one that has more bytes.
    public borrowing func readRegularFile(limit: Int) throws(SystemError) -> [UInt8] {
        guard try status().st_mode & S_IFMT == S_IFREG else { throw SystemError("read", errno: EINVAL) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = try read(into: &buffer)
            if count == 0 { return content }
            content += buffer[..<count]
            // Not its size, which may change meanwhile.
            guard content.count <= limit else { throw SystemError("read", errno: EFBIG) }
        }
    }
}
