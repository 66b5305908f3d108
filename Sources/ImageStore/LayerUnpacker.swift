import CArchive
import Glibc
import Linux

/// Unpacks one layer's tar into a directory that an overlay can use: OCI whiteout files become overlay whiteouts.
///
/// Nothing outside it is touched, whatever the archive says: a file is made in a directory that is open, every directory
/// on its way is opened without following links, and attributes are set on what has been made. Device files are left
/// out: containers have a `/dev` of their own. As another user than root, owners are not set.
struct LayerUnpacker: ~Copyable {
    /// The archive, as errors name it.
    let name: String
    let top: Descriptor
    private var entries = 0
    private var pathBytes = 0
    private var bytes: Int64 = 0
    private var directoryTimes: [(path: String, time: Int64)] = []
    private var opaque: [String] = []

    /// More than any image has.
    struct Limits: Sendable {
        /// Each costs an inode.
        var entries = 2_000_000
        /// Of all entries together; they are kept in memory.
        var pathBytes = 128 << 20
        /// Of the tar without its compression, and of the files in it, which may be larger where they have holes.
        var bytes: Int64 = 64 << 30
    }

    private let limits: Limits

    struct Outcome: Equatable {
        /// The digest of the tar, without its compression.
        var diffID: String
        /// The directories that hide what lower layers have there: `LayerUnpacker.markOpaque` is left to do.
        var opaque: [String]
    }

    /// - Parameter top: the directory, an empty one.
    init(archive name: String, into top: consuming Descriptor, limits: Limits = Limits()) {
        self.name = name
        self.limits = limits
        self.top = top
    }

    /// Reads the archive from its beginning.
    mutating func run(_ blob: borrowing Descriptor) throws(ImageError) -> Outcome {
        let digest = StreamDigest()
        let limit = limits.bytes
        let opened = blob.withRawValue { number in
            lseek(number, 0, SEEK_SET)
            return carchive_reader_open(number, limit, StreamDigest.observe, digest.context)
        }
        guard let reader = opened else { throw openFailure(errno) }
        defer { carchive_reader_close(reader) }
        var entry = carchive_entry()
        while true {
            let result = carchive_reader_next(reader, &entry)
            if result == 0 { break }
            guard result > 0 else { throw damaged(reader) }
            try unpack(entry, from: reader)
        }
        guard carchive_reader_finish(reader) == 0 else { throw damaged(reader) }
        // Last, since adding to a directory changes its time.
        for (path, time) in directoryTimes.reversed() {
            guard let directory = try? openExisting(path) else { continue }
            directory.withRawValue { Self.setTime(time, of: $0) }
        }
        return Outcome(diffID: digest.finish(), opaque: opaque)
    }

    private func openFailure(_ reason: Int32) -> ImageError {
        switch reason {
        case ENOSYS:
            let problem = carchive_load_error().map { String(cString: $0) } ?? "libarchive is missing"
            return .usage("\(problem): install it (Debian: apt install libarchive13)")
        case ENOTSUP: return .usage("\(name): the machine's libarchive lacks this layer's compression")
        case EBADMSG: return damaged("it cannot be decompressed")
        default: return .system("open", path: name, errno: reason)
        }
    }

    private func damaged(_ reader: OpaquePointer) -> ImageError {
        damaged(String(cString: carchive_reader_error(reader)))
    }

    private func damaged(_ problem: String) -> ImageError { .damaged(path: name, problem: problem) }

    func failure(_ operation: String, _ path: String) -> ImageError {
        .system(operation, path: "\(name): /\(path)", errno: errno)
    }

    private mutating func unpack(_ entry: carchive_entry, from reader: OpaquePointer) throws(ImageError) {
        let written = String(cString: entry.path)
        entries += 1
        pathBytes += written.utf8.count
        guard entries <= limits.entries, pathBytes <= limits.pathBytes else {
            throw damaged("it has more entries than a layer may have")
        }
        guard entry.uid >= 0, entry.gid >= 0, entry.uid < UInt32.max, entry.gid < UInt32.max else {
            throw damaged("/\(written): its owner is no user or no group")
        }
        let parts = Files.components(written)
        guard let last = parts.last.map(String.init) else {
            // The layer's own root.
            return try set(entry, from: reader, on: top, path: "")
        }
        let path = parts.joined(separator: "/")
        let parent = try openDirectory(parts.dropLast())
        let isDirectory = entry.hardlink == nil && entry.mode & S_IFMT == S_IFDIR
        if last.hasPrefix(".wh.") {
            try makeWhiteout(last, in: parent, path: path)
        } else if isDirectory {
            let directory = try makeDirectory(last, in: parent, path: path)
            try set(entry, from: reader, on: directory, path: path)
            directoryTimes.append((path, entry.mtime))
        } else {
            try replace(last, in: parent, path: path)
            if let target = entry.hardlink {
                try link(String(cString: target), as: last, in: parent, path: path)
            } else {
                try makeFile(entry, from: reader, as: last, in: parent, path: path)
            }
        }
    }

    private mutating func makeWhiteout(
        _ name: String, in parent: borrowing Descriptor, path: String
    ) throws(ImageError) {
        if name == ".wh..wh..opq" { return opaque.append(String(path.dropLast(name.utf8.count + 1))) }
        // What storage drivers of old kept beside the files.
        if name.hasPrefix(".wh..wh.") { return }
        let hidden = String(name.dropFirst(4))
        guard !["", ".", ".."].contains(hidden) else { throw damaged("/\(path): it hides nothing") }
        // Linux allows this device, and no other, to everyone.
        let result = parent.withRawValue { mknodat($0, hidden, S_IFCHR, 0) }
        guard result == 0 || errno == EEXIST else { throw failure("create whiteout", path) }
    }

    /// Makes a directory, unless there is one already; what else has its name makes way.
    private func makeDirectory(
        _ name: String, in parent: borrowing Descriptor, path: String
    ) throws(ImageError) -> Descriptor {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let number = parent.withRawValue { parent in
            if mkdirat(parent, name, 0o700) != 0 {
                guard errno == EEXIST else { return Int32(-1) }
                let present = openat(parent, name, flags)
                if present >= 0 || (errno != ENOTDIR && errno != ELOOP) { return present }
                guard unlinkat(parent, name, 0) == 0, mkdirat(parent, name, 0o700) == 0 else { return -1 }
            }
            return openat(parent, name, flags)
        }
        guard number >= 0 else { throw failure("create directory", path) }
        return Descriptor(owning: number)
    }

    /// A later entry of the same name replaces an earlier one.
    private func replace(_ name: String, in parent: borrowing Descriptor, path: String) throws(ImageError) {
        let result = parent.withRawValue { unlinkat($0, name, 0) }
        guard result == 0 || errno == ENOENT else { throw failure("replace", path) }
    }

    private func link(
        _ target: String, as name: String, in parent: borrowing Descriptor, path: String
    ) throws(ImageError) {
        let parts = Files.components(target)
        guard let last = parts.last.map(String.init) else { throw damaged("/\(path): a link to the layer's root") }
        let above = try openDirectory(parts.dropLast())
        // The link itself, where that is what it names.
        let result = above.withRawValue { above in parent.withRawValue { linkat(above, last, $0, name, 0) } }
        guard result == 0 else { throw failure("link", path) }
    }

    private mutating func makeFile(
        _ entry: carchive_entry, from reader: OpaquePointer, as name: String, in parent: borrowing Descriptor,
        path: String
    ) throws(ImageError) {
        switch entry.mode & S_IFMT {
        case S_IFREG:
            let number = parent.withRawValue {
                openat($0, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            }
            guard number >= 0 else { throw failure("create", path) }
            let file = Descriptor(owning: number)
            try copyContents(of: reader, to: file, path: path)
            try set(entry, from: reader, on: file, path: path)
            file.withRawValue { Self.setTime(entry.mtime, of: $0) }
        case S_IFLNK:
            guard let target = entry.symlink else { throw damaged("/\(path): a link without a target") }
            guard parent.withRawValue({ symlinkat(target, $0, name) }) == 0 else {
                throw failure("create link", path)
            }
            try setOwnerAndTime(entry, of: name, in: parent, path: path)
        case S_IFIFO:
            guard parent.withRawValue({ mkfifoat($0, name, 0o600) }) == 0 else { throw failure("create pipe", path) }
            try setOwnerAndTime(entry, of: name, in: parent, path: path)
            guard parent.withRawValue({ fchmodat($0, name, entry.mode & 0o7777, 0) }) == 0 else {
                throw failure("set the mode of", path)
            }
        case S_IFCHR, S_IFBLK: return
        default: throw damaged("/\(path): a kind of file that layers cannot have")
        }
    }

    private mutating func copyContents(
        of reader: OpaquePointer, to file: borrowing Descriptor, path: String
    ) throws(ImageError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = carchive_reader_read(reader, &buffer, buffer.count)
            guard count >= 0 else { throw damaged(reader) }
            if count == 0 { return }
            bytes += Int64(count)
            guard bytes <= limits.bytes else { throw damaged("its files are larger than a layer's may be") }
            do throws(SystemError) {
                try file.write(buffer, count: count)
            } catch {
                throw .system("write", path: "\(name): /\(path)", errno: error.errno)
            }
        }
    }
}
