import CZlib
import Glibc
import KubernetesModel
import Linux

/// Follows a log file, also over its rotation. Its calls block, as reading a local file does.
final class LogFile {
    private let path: String
    /// Nil before there is a file.
    private var source: Source?
    /// The name of the part that is read, once it is put away.
    private var part: String?
    /// The first part of a line whose end is not written yet.
    private var partial: [UInt8] = []

    init(path: String) { self.path = path }

    /// Begins before the last `lines` lines of what is written now.
    func begin(tail lines: Int?) throws(SystemError) {
        source = Source(plain: path)
        if let lines { try source?.skip(toLast: lines) }
    }

    /// The next complete lines, some 64 kB at most; none at the end of what is written so far.
    func next() -> [ArraySlice<UInt8>] {
        if source == nil { source = Source(plain: path) }
        guard var source else { return [] }
        var bytes = partial
        while true {
            // Looked at before the read: what follows it is then all that this part will ever have.
            let isPutAway = isPutAway(source)
            let more = source.read()
            guard !more.isEmpty else {
                guard isPutAway, bytes.count == partial.count, let following = following(source) else { break }
                source = following
                continue
            }
            bytes += more
            if more.contains(UInt8(ascii: "\n")) { break }
        }
        self.source = source
        var lines: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(rest[..<end])
            rest = rest[(end + 1)...]
        }
        partial = Array(rest)
        return lines
    }

    /// Whether another file has taken the place of the one that is read.
    private func isPutAway(_ source: Source) -> Bool {
        if part != nil { return true }
        guard let current = inode(of: path), current != source.inode else { return false }
        // By its name its successor can be found also when it is no more.
        let parts = RotatedLog.parts(of: path)
        // Compression makes another file of it: that is the first one put away after what was written last.
        let latest = source.latestWrite.map { RotatedLog.name(of: path, putAwayAt: $0) }
        part =
            parts.first { inode(of: $0.path) == source.inode }?.name
            ?? latest.flatMap { latest in parts.first { $0.name >= latest }?.name }
        return true
    }

    /// What is to be read after a part that was put away; nil where that cannot be opened yet.
    private func following(_ source: Source) -> Source? {
        while true {
            let parts = RotatedLog.parts(of: path)
            // A reader that is so late that its part is gone unseen goes on with what is written now.
            if let part, let next = parts.first(where: { $0.name > part }) {
                // Where it was compressed or removed just now, the directory shows what is there instead.
                guard let opened = next.isCompressed ? Source(compressed: next.path) : Source(plain: next.path) else {
                    continue
                }
                self.part = next.name
                return opened
            }
            guard let opened = Source(plain: path) else { return nil }
            // What is written now may have been put away while it was opened, behind another part.
            if part != nil, RotatedLog.parts(of: path).last?.name != parts.last?.name { continue }
            part = nil
            return opened
        }
    }

    private func inode(of path: String) -> ino_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_ino : nil
    }

    /// An open file, read from its beginning to its end.
    private struct Source {
        let inode: ino_t
        private let file: File
        private var offset: off_t = 0

        private enum Handle {
            case plain(SharedDescriptor)
            case compressed(gzFile)
        }

        /// Closes the file when nobody reads it any more.
        private final class File {
            let handle: Handle

            init(_ handle: Handle) { self.handle = handle }

            deinit {
                if case .compressed(let file) = handle { gzclose(file) }
            }
        }

        init?(plain path: String) {
            guard let opened = try? Descriptor.open(path, O_RDONLY) else { return nil }
            inode = (try? opened.status().st_ino) ?? 0
            file = File(.plain(SharedDescriptor(opened)))
        }

        init?(compressed path: String) {
            guard let opened = gzopen(path, "rbe") else { return nil }
            file = File(.compressed(opened))
            inode = 0
        }

        var latestWrite: Timestamp? {
            guard case .plain(let descriptor) = file.handle, let status = try? descriptor.status() else { return nil }
            return Timestamp(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        }

        /// The bytes that follow, at most 64 KiB; none at the end.
        mutating func read() -> ArraySlice<UInt8> {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count =
                switch file.handle {
                case .plain(let descriptor):
                    (try? descriptor.withRawValue { pread($0, &buffer, 65536, offset) }) ?? 0
                case .compressed(let file): Int(gzread(file, &buffer, UInt32(buffer.count)))
                }
            guard count > 0 else { return [] }
            offset += off_t(count)
            return buffer[..<count]
        }

        /// Goes to where the last lines begin, found from the end.
        mutating func skip(toLast lines: Int) throws(SystemError) {
            guard case .plain(let descriptor) = file.handle else { return }
            let size = try descriptor.status().st_size
            offset = try descriptor.withRawValue { Self.start(ofLast: lines, in: $0, size: size) }
        }

        private static func start(ofLast lines: Int, in descriptor: Int32, size: off_t) -> off_t {
            guard lines > 0 else { return size }
            var position = size
            var newlines = 0
            var buffer = [UInt8](repeating: 0, count: 65536)
            while position > 0 {
                let length = min(off_t(buffer.count), position)
                position -= length
                guard pread(descriptor, &buffer, Int(length), position) == Int(length) else { return 0 }
                for index in stride(from: Int(length) - 1, through: 0, by: -1)
                where buffer[index] == UInt8(ascii: "\n") {
                    // The last newline ends the last line.
                    if position + off_t(index) == size - 1 { continue }
                    newlines += 1
                    if newlines == lines { return position + off_t(index) + 1 }
                }
            }
            return 0
        }
    }
}
