import Glibc

/// The entries of a directory, as they are read; closed when the value ends.
struct DirectoryStream: ~Copyable {
    private let stream: OpaquePointer

    init(_ path: String) throws(SystemError) {
        guard let stream = opendir(path) else { throw SystemError("opendir", path) }
        self.stream = stream
    }

    /// - Parameter directory: stays the caller's.
    init(_ directory: borrowing Descriptor, _ subject: String) throws(SystemError) {
        let own = try directory.duplicate()
        guard let stream = own.withRawValue({ fdopendir($0) }) else {
            throw SystemError("read a directory", subject)
        }
        // The stream's from now on.
        _ = own.release()
        self.stream = stream
    }

    /// The next name as the kernel has it, which need not be UTF-8, with its zero; without `.` and `..`.
    ///
    /// - Parameter directoriesOnly: passes over what the filesystem calls something else, at no further call.
    func next(directoriesOnly: Bool = false) -> [CChar]? {
        let (dot, end) = (CChar(bitPattern: UInt8(ascii: ".")), CChar(0))
        while let entry = readdir(stream) {
            if directoriesOnly, entry.pointee.d_type != UInt8(DT_DIR) { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                }
            }
            if name != [dot, end], name != [dot, dot, end] { return name }
        }
        return nil
    }

    deinit { closedir(stream) }
}
