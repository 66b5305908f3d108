import Glibc

/// Reads a whole small file, such as those of `/proc`, whose size is not known beforehand.
public func readFile(_ path: String) throws(SystemError) -> String {
    String(decoding: try readBytes(path), as: UTF8.self)
}

/// Reads a whole file.
public func readBytes(_ path: String) throws(SystemError) -> [UInt8] {
    let descriptor = try check("open", path) { open(path, O_RDONLY | O_CLOEXEC) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = try check("read", path) { read(descriptor, &buffer, buffer.count) }
        if count == 0 { return content }
        content += buffer[..<count]
    }
}

/// Writes into a file that exists, in one call, as the kernel's control files want it.
public func writeControl(_ path: String, _ text: String) throws(SystemError) {
    let descriptor = try check("open", path) { open(path, O_WRONLY | O_CLOEXEC) }
    defer { close(descriptor) }
    try check("write \"\(text)\" to", path) { write(descriptor, text, text.utf8.count) }
}

/// Replaces a file at once: whoever reads it sees the old content or the new.
public func replaceFile(_ path: String, _ content: [UInt8], mode: mode_t = 0o600) throws(SystemError) {
    let temporary = path + ".new"
    let descriptor = try check("open", temporary) { open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) }
    defer { close(descriptor) }
    var rest = content[...]
    while !rest.isEmpty {
        let count = try check("write", temporary) {
            rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        }
        rest = rest.dropFirst(count)
    }
    try check("rename", path) { rename(temporary, path) }
}

/// Makes a folder and those above it, where they are missing.
public func makeFolder(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
    if mkdir(path, mode) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
        throw SystemError("mkdir", path)
    }
    try makeFolder(String(path[..<slash]), mode: mode)
    if mkdir(path, mode) != 0, errno != EEXIST { throw SystemError("mkdir", path) }
}

/// Removes a file or a folder with all that is in it. What is gone already is no error.
///
/// Does not follow links, and does not cross into another filesystem: what is mounted there stays.
public func removeTree(_ path: String) throws(SystemError) {
    var status = stat()
    if lstat(path, &status) != 0 {
        if errno == ENOENT { return }
        throw SystemError("lstat", path)
    }
    try removeTree(path, device: status.st_dev, status: status)
}

private func removeTree(_ path: String, device: dev_t, status: stat) throws(SystemError) {
    guard status.st_mode & S_IFMT == S_IFDIR else {
        if unlink(path) != 0, errno != ENOENT { throw SystemError("unlink", path) }
        return
    }
    guard status.st_dev == device else { throw SystemError("remove", errno: EBUSY, path) }
    for name in try listFolder(path) {
        var inner = stat()
        let child = path + "/" + name
        if lstat(child, &inner) == 0 { try removeTree(child, device: device, status: inner) }
    }
    if rmdir(path) != 0, errno != ENOENT { throw SystemError("rmdir", path) }
}

/// The names in a folder, without `.` and `..`; none if it does not exist.
public func listFolder(_ path: String) throws(SystemError) -> [String] {
    guard let folder = opendir(path) else {
        if errno == ENOENT { return [] }
        throw SystemError("opendir", path)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let length = Int(entry.pointee.d_reclen)
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: length) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
