import Glibc

/// Goes through everything in a directory and below it; what is in a directory comes before the directory itself.
///
/// Trees that programs made may be deeper than a path can be long and than a thread's stack has room for. So the way is
/// kept in memory, entries are named from the directory that they are in, and one descriptor is open, of the directory
/// where the walk is. Links are not followed. What goes away meanwhile is left out.
///
/// - Parameters:
///   - enters: whether to go into a directory, known as in `visit`; where it does not, the directory is left out, too.
///   - unreadable: receives why a directory below the top cannot be entered or read; where it does not throw, the
///     directory is visited without what is in it, and the walk goes on.
///   - visit: receives the descriptor of the directory that an entry is in, its name there, and what it is.
/// - Throws: what the closures throw; where the top cannot be read; `ESTALE` where the way back was moved elsewhere.
public func walkTree(
    _ path: String, enters: (_ directory: Int32, _ name: [CChar], _ status: stat) throws(SystemError) -> Bool,
    unreadable: (SystemError) throws(SystemError) -> Void = { error throws(SystemError) in throw error },
    visit: (_ directory: Int32, _ name: [CChar], _ status: stat) throws(SystemError) -> Void
) throws(SystemError) {
    var directory: Descriptor
    do throws(SystemError) {
        directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    } catch {
        if error.errno == ENOENT { return }
        throw error
    }
    /// From the top to the directory where the walk is.
    var way = [Level(name: [], status: try status(of: directory, path), pending: try names(in: directory, path))]
    while let level = way.last {
        if let name = way[way.count - 1].pending.popLast() {
            var entry = stat()
            guard directory.withRawValue({ fstatat($0, name, &entry, AT_SYMLINK_NOFOLLOW) }) == 0 else { continue }
            guard entry.st_mode & S_IFMT == S_IFDIR else {
                try directory.withRawValue { number throws(SystemError) in try visit(number, name, entry) }
                continue
            }
            guard try directory.withRawValue({ number throws(SystemError) in try enters(number, name, entry) }) else {
                continue
            }
            do throws(SystemError) {
                let inner = try enter(name, of: directory, path)
                // Read anew: another directory may have come in its place.
                let found = try status(of: inner, path)
                way.append(Level(name: name, status: found, pending: try names(in: inner, path)))
                directory = inner
            } catch {
                if error.call == "open a directory", [ENOENT, ENOTDIR, ELOOP].contains(error.errno) { continue }
                try unreadable(error)
                try directory.withRawValue { number throws(SystemError) in try visit(number, name, entry) }
            }
        } else {
            way.removeLast()
            guard let above = way.last else { return }
            let number = directory.withRawValue { openat($0, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            guard number >= 0 else { throw SystemError("leave a directory", "below \(path)") }
            directory = Descriptor(owning: number)
            let found = try status(of: directory, path)
            guard found.st_dev == above.status.st_dev, found.st_ino == above.status.st_ino else {
                throw SystemError("leave a directory", errno: ESTALE, "below \(path)")
            }
            try directory.withRawValue { number throws(SystemError) in try visit(number, level.name, level.status) }
        }
    }
}

/// Opens a directory that is in another, if it may be searched too: one that may only be read would be a dead end.
private func enter(_ name: [CChar], of directory: borrowing Descriptor, _ path: String) throws(SystemError)
    -> Descriptor
{
    let number = directory.withRawValue { openat($0, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    guard number >= 0 else { throw SystemError("open a directory", "below \(path)") }
    let inner = Descriptor(owning: number)
    var above = stat()
    guard inner.withRawValue({ fstatat($0, "..", &above, 0) }) == 0 else {
        throw SystemError("search a directory", "below \(path)")
    }
    return inner
}

private struct Level {
    /// As the kernel has it, which need not be UTF-8.
    let name: [CChar]
    let status: stat
    var pending: [[CChar]]
}

private func status(of directory: borrowing Descriptor, _ path: String) throws(SystemError) -> stat {
    var status = stat()
    guard directory.withRawValue({ fstat($0, &status) }) == 0 else { throw SystemError("fstat", "below \(path)") }
    return status
}

private func names(in directory: borrowing Descriptor, _ path: String) throws(SystemError) -> [[CChar]] {
    let stream = try DirectoryStream(directory, "below \(path)")
    var names: [[CChar]] = []
    while let name = stream.next() { names.append(name) }
    return names
}

/// Removes a file or a directory with all that is in it, however deep. What is gone already is no error.
///
/// Does not follow links, and does not cross into another filesystem: what is mounted there stays.
///
/// - Parameter opening: gives this user, where that is not root, the rights to directories that it needs for it.
public func removeTree(_ path: String, opening: Bool = false) throws(SystemError) {
    var top = stat()
    if lstat(path, &top) != 0 {
        if errno == ENOENT { return }
        throw SystemError("lstat", path)
    }
    guard top.st_mode & S_IFMT == S_IFDIR else {
        if unlink(path) != 0, errno != ENOENT { throw SystemError("unlink", path) }
        return
    }
    if opening { chmod(path, 0o700) }
    try walkTree(path) { directory, name, status throws(SystemError) in
        guard status.st_dev == top.st_dev else { throw SystemError("remove", errno: EBUSY, "a mount below \(path)") }
        if opening { fchmodat(directory, name, 0o700, 0) }
        return true
    } visit: { directory, name, status throws(SystemError) in
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        if unlinkat(directory, name, isDirectory ? AT_REMOVEDIR : 0) != 0, errno != ENOENT {
            throw SystemError("remove", "\(text(name)) below \(path)")
        }
    }
    if rmdir(path) != 0, errno != ENOENT { throw SystemError("rmdir", path) }
}

/// The bytes that a directory and all below it take on the disk, as far as they are on the same filesystem. A file with
/// several names counts once; a directory that cannot be read counts without what is in it.
public func diskUsage(_ path: String) -> Int { diskUsage(path) { _ in } }

/// - Parameter measured: receives all below the directory, as it is found.
func diskUsage(_ path: String, measured: (stat) -> Void) -> Int {
    var top = stat()
    guard lstat(path, &top) == 0 else { return 0 }
    guard top.st_mode & S_IFMT == S_IFDIR else { return Int(top.st_blocks) * 512 }
    var most = 0
    // A tree that is moved about while it is measured is measured again. Of one that is never at rest, what was seen of
    // it counts.
    for _ in 0..<5 {
        var size = Int(top.st_blocks) * 512
        var seen: Set<ino_t> = []
        do throws(SystemError) {
            try walkTree(path) { _, _, status in
                status.st_dev == top.st_dev
            } unreadable: { _ in
            } visit: { _, _, status in
                guard status.st_dev == top.st_dev else { return }
                measured(status)
                let isDirectory = status.st_mode & S_IFMT == S_IFDIR
                if !isDirectory, status.st_nlink > 1, !seen.insert(status.st_ino).inserted { return }
                size += Int(status.st_blocks) * 512
            }
            return size
        } catch {
            most = max(most, size)
            guard error.errno == ESTALE else { break }
        }
    }
    return most
}
