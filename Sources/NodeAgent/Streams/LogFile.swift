import Glibc
import Linux

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
        guard open(path) else { return }
        guard let lines else { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat", path) }
        offset = start(of: lines, size: status.st_size)
    }

    private func open(_ path: String) -> Bool {
        let opened = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { return false }
        descriptor = opened
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
        if descriptor < 0, !open(path) { return [] }
        var bytes = partial
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            // Looked at before the read: what follows it is then all that this part will ever have.
            let isPutAway = isPutAway
            let count = pread(descriptor, &buffer, buffer.count, offset)
            guard count > 0 else {
                if isPutAway, bytes.count == partial.count, moveOn() { continue }
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

    /// Whether another file has taken this one's place.
    private var isPutAway: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_ino != inode
    }

    /// Opens the part that follows this one.
    private func moveOn() -> Bool {
        let old = (descriptor: descriptor, inode: inode, offset: offset)
        while true {
            let parts = RotatedLogs(path: path).plain
            let own = parts.firstIndex { part in
                var status = stat()
                return stat(part, &status) == 0 && status.st_ino == old.inode
            }
            let next = own.flatMap { $0 + 1 < parts.count ? parts[$0 + 1] : nil }
            guard open(next ?? path) else {
                // The next part was compressed or taken away just now.
                if next != nil { continue }
                return false
            }
            // What is written now may have been put away while it was opened, and then lies behind another part. A
            // reader that is so late that its own part is gone goes on with it all the same.
            if next != nil || own == nil || RotatedLogs(path: path).plain.last == parts.last {
                close(old.descriptor)
                return true
            }
            close(descriptor)
            (descriptor, inode, offset) = old
        }
    }
}
