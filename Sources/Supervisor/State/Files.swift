import Glibc
import Linux

/// Files of the state folder: whole reads, atomic writes, folders, each failure with its remedy.
enum Files {
    private static func error(_ path: String, _ doing: String) -> SupervisorError {
        let reason = errno
        let remedy =
            switch reason {
            case EACCES, EPERM, EROFS:
                "make it writable for this user, or choose another folder with MARTLET_STATE_HOME and MARTLET_RUNTIME_DIR"
            case ENOSPC, EDQUOT: "free some space on that disk"
            case ENOTDIR: "something on the way to it is no folder; move that aside"
            case ENOENT: "choose another folder with MARTLET_STATE_HOME and MARTLET_RUNTIME_DIR"
            case EISDIR: "it is a folder where a file should be; move it aside"
            default: "see whether that disk is in order"
            }
        return .file(path: path, problem: "cannot \(doing): \(String(cString: strerror(reason)))", remedy: remedy)
    }

    /// The file's bytes; nil where there is none.
    static func read(_ path: String) throws(SupervisorError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw error(path, "read it")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 { throw error(path, "read it") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    static func text(_ path: String) throws(SupervisorError) -> String? {
        try read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Replaces the file as a whole: readers see the old content or the new, also after a crash.
    static func write(
        _ bytes: [UInt8], to path: String, mode: mode_t = 0o600, owner: (user: uid_t, group: gid_t)? = nil
    ) throws(SupervisorError) {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw error(path, "write it") }
        // Not only asked of open, where the umask takes from it; an owner that cannot be had is no fault.
        fchmod(descriptor, mode)
        if let owner { _ = fchown(descriptor, owner.user, owner.group) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                let failure = error(path, "write it")
                close(descriptor)
                unlink(temporary)
                throw failure
            }
            written += count
        }
        let synced = fsync(descriptor)
        close(descriptor)
        guard synced == 0, rename(temporary, path) == 0 else {
            let failure = error(path, "write it")
            unlink(temporary)
            throw failure
        }
    }

    /// Makes the folder and those above it, and sees that it can be written to.
    static func makeFolder(_ path: String) throws(SupervisorError) {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            if mkdir(prefix, 0o711) != 0, errno != EEXIST {
                // A folder above may be unwritable and there; only a missing one is a fault.
                let reason = errno
                var information = stat()
                if stat(prefix, &information) != 0 {
                    errno = reason
                    throw error(prefix, "make the folder")
                }
            }
        }
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else {
            throw .file(path: path, problem: "this is no folder", remedy: "move it aside")
        }
        guard access(path, W_OK | X_OK) == 0 else { throw error(path, "write to the folder") }
    }

    /// The last lines of a log, of those that begin at `offset` or after.
    static func tail(_ path: String, lines: Int, from offset: Int = 0) -> [String] {
        guard let bytes = (try? read(path)).flatMap({ $0 }) else { return [] }
        let text = String(decoding: bytes.dropFirst(offset), as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).map(String.init)
    }

    /// The length of a file in bytes; 0 where there is none.
    static func size(_ path: String) -> Int {
        var information = stat()
        return stat(path, &information) == 0 ? information.st_size : 0
    }

    /// The names in a folder, in no order; none where it cannot be read.
    static func names(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a file, or a folder with all that is in it, without following links or leaving its filesystem.
    static func removeTree(_ path: String) throws(SupervisorError) {
        do throws(SystemError) {
            try Linux.removeTree(path)
        } catch let failure {
            errno = failure.errno
            throw error(path, "remove it")
        }
    }
}
