import Glibc

/// Makes a directory and those above it, where they are missing.
///
/// - Parameter mode: less the umask, which leaves others nothing in the programs of a cluster.
public func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
    try againWhereGone { () throws(SystemError) in try makeOnce(path) { mkdir($0, mode) } }
}

/// Makes a directory and those above it, where they are missing, with this mode whatever the umask is: for what users
/// of a container or other programs of the machine are to reach.
public func makeDirectory(_ path: String, exactly mode: mode_t) throws(SystemError) {
    try againWhereGone { () throws(SystemError) in
        try makeOnce(path) { path in
            let result = mkdir(path, mode)
            if result == 0, let made = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) {
                made.withRawValue { _ = fchmod($0, mode) }
            }
            return result
        }
    }
}

/// Makes a directory that only this user enters, and those above it where they are missing. One that exists becomes so.
///
/// - Throws: `EPERM`, with the call `own`, for one that another user has put there, or could take away.
public func makePrivateDirectory(_ path: String) throws(SystemError) {
    try makeDirectory(path, mode: 0o700)
    try checkOwner(ofDirectory: path)
    let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    let own = try directory.status()
    guard own.st_uid == geteuid() else { throw SystemError("own", errno: EPERM, path) }
    guard own.st_mode & 0o077 != 0 else { return }
    try directory.withRawValue { number throws(SystemError) in
        _ = try check("chmod", path) { fchmod(number, own.st_mode & 0o700) }
    }
}

/// Whether a directory, where there is one, is this user's or root's, and stays at its path.
///
/// - Throws: `EPERM`, with the call `own` and the path that another user has put there.
public func checkOwner(ofDirectory path: String) throws(SystemError) {
    let trusted = [0, geteuid()]
    var status = stat()
    // What is in a directory that everybody may write to, such as /tmp, is anybody's, also a link.
    if lstat(path, &status) == 0, !trusted.contains(status.st_uid) { throw SystemError("own", errno: EPERM, path) }
    if stat(path, &status) == 0, !trusted.contains(status.st_uid) { throw SystemError("own", errno: EPERM, path) }
    var above = parent(of: path)
    while above != "/", above != "." {
        if stat(above, &status) == 0, !trusted.contains(status.st_uid) {
            guard stat(parent(of: above), &status) == 0, status.st_mode & 0o002 == 0 else {
                throw SystemError("own", errno: EPERM, above)
            }
        }
        above = parent(of: above)
    }
}

/// Takes other users' rights to the files in a directory, but not to those in directories below it.
public func makeFilesPrivate(in directory: String) throws(SystemError) {
    for name in try listDirectory(directory) {
        // What is no file of this user's, or is gone, stays as it is.
        guard let file = try? Descriptor.open("\(directory)/\(name)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            let status = try? file.status(), status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0
        else { continue }
        file.withRawValue { _ = fchmod($0, status.st_mode & 0o700) }
    }
}

/// Makes something below directories that others remove as soon as they are empty: one may go between the step that
/// finds it and the step that needs it.
func againWhereGone(_ body: () throws(SystemError) -> Void) throws(SystemError) {
    for _ in 0..<100 {
        do throws(SystemError) {
            return try body()
        } catch  where error.errno == ENOENT {
            continue
        }
    }
    try body()
}

private func makeOnce(_ path: String, make: (String) -> Int32) throws(SystemError) {
    if make(path) == 0 || errno == EEXIST { return }
    guard errno == ENOENT else { throw SystemError("mkdir", path) }
    // Up to one that exists and down again, without recursion: a path may have more levels than a thread's stack has
    // room for.
    let bytes = Array(path.utf8)
    let slash = UInt8(ascii: "/")
    var missing: [String] = []
    for end in bytes.indices.dropFirst().reversed() where bytes[end] == slash && bytes[end - 1] != slash {
        let above = String(decoding: bytes[..<end], as: UTF8.self)
        if make(above) == 0 || errno == EEXIST { break }
        let error = SystemError("mkdir", above)
        // Where nothing may be made, the kernel may say so even of a directory that exists.
        if access(above, F_OK) == 0 { break }
        guard error.errno == ENOENT else { throw error }
        missing.append(above)
    }
    for above in missing.reversed() where make(above) != 0 && errno != EEXIST { throw SystemError("mkdir", above) }
    if make(path) != 0, errno != EEXIST { throw SystemError("mkdir", path) }
}

/// The names in a directory, without `.` and `..`; none if it does not exist.
public func listDirectory(_ path: String) throws(SystemError) -> [String] {
    do throws(SystemError) {
        return try namesInDirectory(path)
    } catch  where error.errno == ENOENT {
        return []
    }
}

/// The names in a directory, without `.` and `..`.
public func namesInDirectory(_ path: String) throws(SystemError) -> [String] {
    try namesInDirectory(path, directoriesOnly: false)
}

/// The names of the directories in a directory of a filesystem that knows them (readdir(3), `d_type`), as the kernel's own
/// do.
func directoriesInDirectory(_ path: String) throws(SystemError) -> [String] {
    try namesInDirectory(path, directoriesOnly: true)
}

private func namesInDirectory(_ path: String, directoriesOnly: Bool) throws(SystemError) -> [String] {
    let stream = try DirectoryStream(path)
    var names: [String] = []
    while let name = stream.next(directoriesOnly: directoriesOnly) { names.append(text(name)) }
    return names
}

/// A name as the kernel has it, for people.
func text(_ name: [CChar]) -> String {
    String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}
