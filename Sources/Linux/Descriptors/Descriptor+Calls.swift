import Glibc

extension Descriptor {
    /// Opens a file, closed on exec.
    ///
    /// - Parameter mode: of a file that `O_CREAT` makes, less the umask.
    public static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) -> Descriptor {
        Descriptor(owning: try check("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) })
    }

    /// Opens a file by its name in a directory that is open.
    public static func open(
        _ name: String, in directory: borrowing Descriptor, _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> Descriptor {
        try directory.withRawValue { above throws(SystemError) in
            Descriptor(owning: try check("open", name) { openat(above, name, flags | O_CLOEXEC, mode) })
        }
    }

    /// Another descriptor of the same open file, closed on exec.
    public borrowing func duplicate() throws(SystemError) -> Descriptor {
        try withRawValue { number throws(SystemError) in
            Descriptor(owning: try check("dup") { fcntl(number, F_DUPFD_CLOEXEC, 0) })
        }
    }

    /// Reads some bytes; 0 at the end.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try withRawValue { number throws(SystemError) in
            try check("read") { Glibc.read(number, buffer.baseAddress, buffer.count) }
        }
    }

    public borrowing func read(into buffer: inout [UInt8]) throws(SystemError) -> Int {
        try withRawValue { number throws(SystemError) in
            try check("read") { Glibc.read(number, &buffer, buffer.count) }
        }
    }

    /// Reads all that is left.
    public borrowing func readToEnd() throws(SystemError) -> [UInt8] {
        try withRawValue { number throws(SystemError) in try readAll(number) }
    }

    /// Writes all of the bytes.
    public borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try withRawValue { number throws(SystemError) in try writeAll(bytes, to: number) }
    }

    public borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        var failure: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes the first `count` bytes.
    public borrowing func write(_ bytes: [UInt8], count: Int) throws(SystemError) {
        var failure: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    public borrowing func status() throws(SystemError) -> stat {
        var status = stat()
        try withRawValue { number throws(SystemError) in _ = try check("fstat") { fstat(number, &status) } }
        return status
    }

    /// Returns when what was written is on the disk.
    public borrowing func sync() throws(SystemError) {
        try withRawValue { number throws(SystemError) in _ = try check("sync") { fsync(number) } }
    }
}

func readAll(_ number: Int32) throws(SystemError) -> [UInt8] {
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = try check("read") { Glibc.read(number, &buffer, buffer.count) }
        if count == 0 { return content }
        content += buffer[..<count]
    }
}

private func writeAll(_ bytes: UnsafeRawBufferPointer, to number: Int32) throws(SystemError) {
    var rest = bytes
    while !rest.isEmpty {
        let count = try check("write") { Glibc.write(number, rest.baseAddress, rest.count) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
}
