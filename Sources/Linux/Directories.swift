import Glibc

/// Makes a directory and those above it, where they are missing.
public func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
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
        // Where nothing may be made, the kernel may say so even of a directory that exists.
        if access(above, F_OK) != 0 { throw error }
    }
    if mkdir(path, mode) != 0, errno != EEXIST { throw SystemError("mkdir", path) }
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
    let stream = try DirectoryStream(path)
    var names: [String] = []
    while let name = stream.next() { names.append(text(name)) }
    return names
}

/// A name as the kernel has it, for people.
func text(_ name: [CChar]) -> String {
    String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}
