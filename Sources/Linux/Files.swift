import Glibc

/// Reads a whole small file, such as those of `/proc`, whose size is not known beforehand.
public func readFile(_ path: String) throws(SystemError) -> String {
    String(decoding: try readBytes(path), as: UTF8.self)
}

/// Reads a whole file.
public func readBytes(_ path: String) throws(SystemError) -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY)
    do throws(SystemError) {
        return try file.readToEnd()
    } catch {
        throw SystemError(error.call, errno: error.errno, path)
    }
}

/// Reads a whole file; nil where there is none.
public func readBytesIfPresent(_ path: String) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
        return try readBytes(path)
    } catch  where error.errno == ENOENT {
        return nil
    }
}

/// Writes into a file that exists, in one call, as the kernel's control files want it.
public func writeControl(_ path: String, _ text: String) throws(SystemError) {
    try writeControl(try Descriptor.open(path, O_WRONLY), path, text)
}

/// The same for a file that is open, and takes more.
func writeControl(_ file: borrowing Descriptor, _ path: String, _ text: String) throws(SystemError) {
    try file.withRawValue { number throws(SystemError) in
        _ = try check("write \"\(text)\" to", path) { write(number, text, text.utf8.count) }
    }
}

/// What of a file's replacement is on the disk when it returns.
public enum Durability: Sendable {
    /// Nothing: after a crash of the machine there may be either content, or none.
    case none
    /// The content: after a crash of the machine there is the old one or the new.
    case content
    /// The content, under its name.
    case name
}

/// Replaces a file at once: whoever reads it sees the old content or the new.
///
/// - Parameters:
///   - mode: whatever the umask is.
///   - owner: where this user may give files away.
///   - temporary: where it is written first, on the same filesystem. What is there goes, whoever has put it there.
///   - unnamed: it is written without any name, where the filesystem can do that, so that nothing of it is left where
///     this process is killed meanwhile.
public func replaceFile(
    _ path: String, _ content: [UInt8], mode: mode_t = 0o600, owner: (user: uid_t, group: gid_t)? = nil,
    durability: Durability = .none, temporary: String? = nil, unnamed: Bool = false
) throws(SystemError) {
    let temporary = temporary ?? path + ".new"
    do throws(SystemError) {
        let fill = { (file: borrowing Descriptor) throws(SystemError) in
            file.withRawValue { number in
                fchmod(number, mode)
                if let owner { _ = fchown(number, owner.user, owner.group) }
            }
            try file.write(content)
            if durability != .none { try file.sync() }
        }
        if unnamed, let file = try? makeUnnamedFile(in: parent(of: temporary)) {
            try fill(file)
            unlink(temporary)
            try name(file, temporary)
        } else {
            try fill(makeFile(temporary))
        }
        try check("rename", path) { rename(temporary, path) }
    } catch {
        if error.call != "open" { unlink(temporary) }
        throw SystemError(error.call, errno: error.errno, path)
    }
    if durability == .name { try syncDirectory(of: path) }
}

/// Makes a file without a name, for as long as it is open or until it gets one.
///
/// - Throws: also where the filesystem knows no such files.
public func makeUnnamedFile(in directory: String) throws(SystemError) -> Descriptor {
    // O_TMPFILE (open(2)), a macro that Swift does not see.
    try Descriptor.open(directory, O_WRONLY | 0o20_000_000 | O_DIRECTORY, mode: 0o600)
}

/// Gives a file without a name its first.
///
/// - Throws: `EEXIST` where the name is another's.
public func name(_ file: borrowing Descriptor, _ path: String) throws(SystemError) {
    try file.withRawValue { number throws(SystemError) in
        _ = try check("link", path) {
            linkat(AT_FDCWD, "/proc/self/fd/\(number)", AT_FDCWD, path, AT_SYMLINK_FOLLOW)
        }
    }
}

/// Makes a file that is nobody else's: not one that is there already, nor what a link that is there names.
private func makeFile(_ path: String) throws(SystemError) -> Descriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    do throws(SystemError) {
        return try Descriptor.open(path, flags, mode: 0o600)
    } catch  where error.errno == EEXIST {
        // Left by a process that died, or put there by a user who may write to the directory.
        unlink(path)
        return try Descriptor.open(path, flags, mode: 0o600)
    }
}

/// Returns when the names in the directory of `path` are on the disk.
public func syncDirectory(of path: String) throws(SystemError) {
    let directory = parent(of: path)
    do throws(SystemError) {
        try Descriptor.open(directory, O_RDONLY | O_DIRECTORY).sync()
    } catch {
        throw SystemError(error.call, errno: error.errno, directory)
    }
}

/// The directory that a path's last name is in.
public func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
