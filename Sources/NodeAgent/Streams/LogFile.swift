import Glibc
import Linux
import SystemPackage

/// Reads a log file on, also over its rotation. Its calls block, as reading a local file does.
final class LogFile {
    private let path: String
    private var descriptor: Int32 = -1
    private var inode: ino_t = 0
    private var offset: off_t = 0
    /// The first part of a line whose end is not written yet.
    private var partial: [UInt8] = []

    init(path: String) { self.path = path }
    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Begins before the last `lines` lines.
    func begin(tail lines: Int?) throws(SystemError) {
        guard open() else { return }
        guard let lines else { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat", path) }
        offset = start(of: lines, size: status.st_size)
    }

    private func open() -> Bool {
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        var status = stat()
        fstat(descriptor, &status)
        inode = status.st_ino
        offset = 0
        return true
    }

    /// Where the last lines begin, found from the end.
    private func start(of lines: Int, size: off_t) -> off_t {
        guard lines > 0 else { return size }
        var position = size
        var newlines = 0
        var buffer = [UInt8](repeating: 0, count: 65536)
        while position > 0 {
            let length = min(off_t(buffer.count), position)
            position -= length
            guard pread(descriptor, &buffer, Int(length), position) == Int(length) else { return 0 }
            for index in stride(from: Int(length) - 1, through: 0, by: -1) where buffer[index] == UInt8(ascii: "\n") {
                // The last newline ends the last line.
                if position + off_t(index) == size - 1 { continue }
                newlines += 1
                if newlines == lines { return position + off_t(index) + 1 }
            }
        }
        return 0
    }

    /// The complete lines that follow, of at most some 64 kB; none at the end of what is written so far.
    func next() -> [ArraySlice<UInt8>] {
        if descriptor < 0, !open() { return [] }
        var bytes = partial
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            guard count > 0 else {
                if bytes.count == partial.count, moveOn() { continue }
                break
            }
            offset += off_t(count)
            bytes += buffer[..<count]
            if buffer[..<count].contains(UInt8(ascii: "\n")) { break }
        }
        var lines: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(rest[..<end])
            rest = rest[(end + 1)...]
        }
        partial = Array(rest)
        return lines
    }

    /// Opens the file that has taken this one's place, if one has.
    private func moveOn() -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_ino != inode else { return false }
        close(descriptor)
        return open()
    }
}

/// Tells when a log file, or its rotation, has something new.
final class LogWatch: Sendable {
    private let descriptor: FileDescriptor

    /// Watches the folder, in which the file may be yet to come.
    init(folder: String) throws(SystemError) {
        let raw = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard raw >= 0 else { throw SystemError("inotify_init1") }
        descriptor = FileDescriptor(rawValue: raw)
        if inotify_add_watch(raw, folder, UInt32(IN_MODIFY | IN_CREATE)) < 0 {
            throw SystemError("inotify_add_watch", folder)
        }
    }

    deinit { close(descriptor.rawValue) }

    func changed() async throws { _ = try await DescriptorStream.read(descriptor) }
}
