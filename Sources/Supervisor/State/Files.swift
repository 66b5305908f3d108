import Glibc
import Linux

/// Files of the state directory: each failure with its remedy.
enum Files {
    private static func mapping<Result>(
        _ path: String, _ doing: String, _ body: () throws(SystemError) -> Result
    ) throws(SupervisorError) -> Result {
        do {
            return try body()
        } catch {
            throw failure(path, doing, error.errno)
        }
    }

    static func failure(_ path: String, _ doing: String, _ reason: Int32) -> SupervisorError {
        let remedy =
            switch reason {
            case EACCES, EPERM, EROFS:
                "make it writable for this user, or choose another directory with MARTLET_STATE_HOME and MARTLET_RUNTIME_DIR"
            case ENOSPC, EDQUOT: "free some space on that disk"
            case ENOTDIR: "something on the way to it is no directory; move that aside"
            case ENOENT: "choose another directory with MARTLET_STATE_HOME and MARTLET_RUNTIME_DIR"
            case EISDIR: "it is a directory where a file should be; move it aside"
            default: "see whether that disk is in order"
            }
        return .file(path: path, problem: "cannot \(doing): \(String(cString: strerror(reason)))", remedy: remedy)
    }

    /// The file's bytes; nil where there is none.
    static func read(_ path: String) throws(SupervisorError) -> [UInt8]? {
        try mapping(path, "read it") { () throws(SystemError) in try readBytesIfPresent(path) }
    }

    static func text(_ path: String) throws(SupervisorError) -> String? {
        try read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Replaces the file as a whole: readers see the old content or the new, also after a crash.
    static func write(_ bytes: [UInt8], to path: String) throws(SupervisorError) {
        try mapping(path, "write it") { () throws(SystemError) in
            try replaceFile(
                path, bytes, durability: .content, temporary: "\(path).\(getpid()).new")
        }
    }

    /// As `write`, for a file beside which others must not find a copy of what is secret.
    static func writeSecret(
        _ bytes: [UInt8], to path: String, mode: mode_t, owner: (user: uid_t, group: gid_t)?
    ) throws(SupervisorError) {
        try mapping(path, "write it") { () throws(SystemError) in
            // The name is always the same: what a process that was killed just then has left goes with the next one.
            try replaceFile(
                path, bytes, mode: mode, owner: owner, durability: .content, temporary: "\(path).martlet-new",
                unnamed: true)
        }
    }

    /// A process's log, to be given to it as its output.
    static func openLog(_ path: String, emptied: Bool = false) throws(SupervisorError) -> SharedDescriptor {
        try mapping(path, "write the log") { () throws(SystemError) in
            let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | (emptied ? O_TRUNC : O_APPEND)
            return SharedDescriptor(try Descriptor.open(path, flags, mode: 0o600))
        }
    }

    /// Makes the directory and those above it, for this user alone, and sees that it can be written to. One that exists
    /// is closed to others too.
    static func makePrivateDirectory(_ path: String) throws(SupervisorError) {
        try makeDirectory(path) { path throws(SystemError) in try Linux.makePrivateDirectory(path) }
    }

    /// - Throws: where another user has put the directory there, or one above it, and so has its content in hand.
    static func checkOwner(ofDirectory path: String) throws(SupervisorError) {
        do throws(SystemError) {
            try Linux.checkOwner(ofDirectory: path)
        } catch {
            throw anothers(error.subject)
        }
    }

    private static func anothers(_ path: String) -> SupervisorError {
        .file(
            path: path, problem: "it belongs to another user, who could change what is in it",
            remedy: "remove it, or choose another directory with MARTLET_STATE_HOME and MARTLET_RUNTIME_DIR")
    }

    /// Makes the directory and those above it, and sees that it can be written to.
    static func makeDirectory(_ path: String) throws(SupervisorError) {
        try makeDirectory(path) { path throws(SystemError) in try Linux.makeDirectory(path) }
    }

    private static func makeDirectory(
        _ path: String, _ make: (String) throws(SystemError) -> Void
    ) throws(SupervisorError) {
        do throws(SystemError) {
            try make(path)
        } catch {
            if error.call == "own" { throw anothers(error.subject) }
            throw failure(error.subject.isEmpty ? path : error.subject, "make the directory", error.errno)
        }
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else {
            throw .file(path: path, problem: "this is no directory", remedy: "move it aside")
        }
        guard access(path, W_OK | X_OK) == 0 else { throw failure(path, "write to the directory", errno) }
    }

    static func makeFilesPrivate(in directory: String) throws(SupervisorError) {
        try mapping(directory, "close it to other users") { () throws(SystemError) in
            try Linux.makeFilesPrivate(in: directory)
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

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

    /// The names in a directory, in no order; none where it cannot be read.
    static func names(_ path: String) -> [String] { (try? listDirectory(path)) ?? [] }

    /// Removes a file, or a directory with all that is in it, without following links or leaving its filesystem.
    static func removeTree(_ path: String) throws(SupervisorError) {
        try mapping(path, "remove it") { () throws(SystemError) in try Linux.removeTree(path) }
    }
}
