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
    try againWhereGone { () throws(SystemError) in try makeOnce(path, mode: mode) }
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

private func makeOnce(_ path: String, mode: mode_t) throws(SystemError) {
    if mkdir(path, mode) == 0 || errno == EEXIST { return }
    guard errno == ENOENT else { throw SystemError("mkdir", path) }
    // Down from the top, for a path may have more levels than a thread's stack has room for.
    let bytes = Array(path.utf8)
    let slash = UInt8(ascii: "/")
    for end in bytes.indices.dropFirst() where bytes[end] == slash && bytes[end - 1] != slash {
        let above = String(decoding: bytes[..<end], as: UTF8.self)
        if mkdir(above, mode) == 0 || errno == EEXIST { continue }
        let error = SystemError("mkdir", above)
        // Where nothing may be made, the kernel may say so even of a folder that exists.
        if access(above, F_OK) != 0 { throw error }
    }
    if mkdir(path, mode) != 0, errno != EEXIST { throw SystemError("mkdir", path) }
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
