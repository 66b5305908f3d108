import CArchive
import Glibc
import Linux

/// Unpacks one layer's tar into a directory that an overlay can use: OCI whiteout files become overlay whiteouts.
///
/// Nothing outside it is touched, whatever the archive says: every directory on an entry's way is opened without
/// following links. As another user than root, owners are not set and device files are left out.
struct LayerUnpacker {
    let archive: String
    let directory: String

    func run() throws(ImageError) {
        if let problem = carchive_load_error() {
            throw .usage("\(String(cString: problem)): install it (Debian: apt install libarchive13)")
        }
        guard mkdir(directory, 0o755) == 0 else { throw .system("create directory", path: directory, errno: errno) }
        guard let reader = carchive_reader_open(archive) else { throw .system("open", path: archive, errno: errno) }
        defer { carchive_reader_close(reader) }
        let top = try ImageError.mapping { () throws(SystemError) in
            try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
        }

        var directoryTimes: [(path: String, time: Int64)] = []
        var entry = carchive_entry()
        while true {
            let result = carchive_reader_next(reader, &entry)
            if result == 0 { break }
            guard result > 0 else {
                throw .damaged(path: archive, problem: String(cString: carchive_reader_error(reader)))
            }
            try unpack(entry, from: reader, top: top, directoryTimes: &directoryTimes)
        }
        // Last, since adding to a directory changes its time.
        for (path, time) in directoryTimes.reversed() { Self.setTime(time, of: directory + "/" + path) }
        // One flush for all files; blobs are flushed one by one, but a layer can have very many.
        guard top.withRawValue({ syncfs($0) }) == 0 else { throw .system("sync", path: directory, errno: errno) }
    }

    private func unpack(
        _ entry: carchive_entry, from reader: OpaquePointer, top: borrowing Descriptor,
        directoryTimes: inout [(path: String, time: Int64)]
    ) throws(ImageError) {
        let parts = Files.components(String(cString: entry.path))
        guard let last = parts.last else {
            // The layer's own root.
            top.withRawValue { number in
                if geteuid() == 0 { fchown(number, entry.uid, entry.gid) }
                fchmod(number, entry.mode & 0o7777)
            }
            return
        }
        let name = String(last)
        let relative = parts.joined(separator: "/")
        let path = directory + "/" + relative
        let directory = try openDirectory(parts.dropLast(), top: top)
        try directory.withRawValue { parent throws(ImageError) in
            try unpack(entry, from: reader, as: name, in: parent, path: path) { target throws(ImageError) in
                let targetParts = Files.components(target)
                let above = try openDirectory(targetParts.dropLast(), top: top)
                return above.withRawValue { linkat($0, String(targetParts.last ?? ""), parent, name, 0) }
            }
        }
        let isDirectory = entry.hardlink == nil && entry.mode & S_IFMT == S_IFDIR && !name.hasPrefix(".wh.")
        if isDirectory { directoryTimes.append((relative, entry.mtime)) }
    }

    /// - Parameter link: links the entry to another one of the layer, named by its path there.
    private func unpack(
        _ entry: carchive_entry, from reader: OpaquePointer, as name: String, in parent: Int32, path: String,
        link: (String) throws(ImageError) -> Int32
    ) throws(ImageError) {
        func failure(_ operation: String) -> ImageError { .system(operation, path: path, errno: errno) }

        if name == ".wh..wh..opq" { return try markOpaque(parent, path: Files.parent(path)) }
        if name.hasPrefix(".wh.") {
            // Linux allows this device, and no other, to everyone.
            guard mknodat(parent, String(name.dropFirst(4)), S_IFCHR, 0) == 0 || errno == EEXIST else {
                throw failure("create whiteout")
            }
            return
        }
        let kind = entry.mode & S_IFMT
        if kind != S_IFDIR || entry.hardlink != nil {
            // A later entry of the same name replaces an earlier one.
            guard unlinkat(parent, name, 0) == 0 || errno == ENOENT else { throw failure("replace") }
        }
        if let target = entry.hardlink {
            guard try link(String(cString: target)) == 0 else { throw failure("link") }
            return
        }
        switch kind {
        case S_IFDIR:
            guard mkdirat(parent, name, 0o755) == 0 || errno == EEXIST else { throw failure("create directory") }
        case S_IFREG:
            let number = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard number >= 0 else { throw failure("create") }
            try copyContents(of: reader, to: Descriptor(owning: number), path: path)
        case S_IFLNK:
            guard symlinkat(entry.symlink, parent, name) == 0 else { throw failure("create link") }
        case S_IFIFO:
            guard mkfifoat(parent, name, 0o600) == 0 else { throw failure("create pipe") }
        case S_IFCHR, S_IFBLK:
            guard geteuid() == 0 else { return }
            guard mknodat(parent, name, kind | 0o600, Self.device(entry.major, entry.minor)) == 0 else {
                throw failure("create device")
            }
        default:
            throw .damaged(
                path: archive,
                problem: "\(path.dropFirst(directory.utf8.count + 1)): a kind of file that layers cannot have")
        }
        if geteuid() == 0 {
            guard fchownat(parent, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw failure("set the owner of")
            }
        }
        if kind != S_IFLNK {
            // After the owner, since a change of owner clears set-user-ID.
            guard fchmodat(parent, name, entry.mode & 0o7777, 0) == 0 else { throw failure("set the mode of") }
        }
        try setExtendedAttributes(from: reader, path: path)
        if kind != S_IFDIR { Self.setTime(entry.mtime, of: path) }
    }

    /// Opens a directory of the layer, making it if it is missing; a link on the way is an error.
    private func openDirectory(_ parts: ArraySlice<Substring>, top: borrowing Descriptor) throws(ImageError)
        -> Descriptor
    {
        var current: Descriptor
        do throws(SystemError) {
            current = try top.duplicate()
        } catch {
            throw .system("open", path: directory, errno: error.errno)
        }
        for part in parts {
            let name = String(part)
            let next = current.withRawValue { above in
                mkdirat(above, name, 0o755)
                return openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            }
            guard next >= 0 else {
                throw .system("enter", path: directory + "/" + parts.joined(separator: "/"), errno: errno)
            }
            current = Descriptor(owning: next)
        }
        return current
    }

    private func copyContents(of reader: OpaquePointer, to file: consuming Descriptor, path: String) throws(ImageError)
    {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = carchive_reader_read(reader, &buffer, buffer.count)
            guard count >= 0 else {
                throw .damaged(path: archive, problem: String(cString: carchive_reader_error(reader)))
            }
            if count == 0 { return }
            var failure: SystemError?
            buffer.withUnsafeBytes { bytes in
                do throws(SystemError) {
                    try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                } catch {
                    failure = error
                }
            }
            if let failure { throw .system("write", path: path, errno: failure.errno) }
        }
    }

    /// The directory hides what lower layers have there. `trusted.` attributes are root's only.
    private func markOpaque(_ descriptor: Int32, path: String) throws(ImageError) {
        if fsetxattr(descriptor, "trusted.overlay.opaque", "y", 1, 0) == 0 { return }
        guard fsetxattr(descriptor, "user.overlay.opaque", "y", 1, 0) == 0 else {
            throw .system("mark as opaque", path: path, errno: errno)
        }
    }

    /// File capabilities and the like. What the filesystem or the user may not have is left out.
    private func setExtendedAttributes(from reader: OpaquePointer, path: String) throws(ImageError) {
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while carchive_reader_next_xattr(reader, &name, &value, &size) == 1 {
            guard let name, !String(cString: name).hasPrefix("trusted.overlay.") else { continue }
            if lsetxattr(path, name, value, size, 0) != 0, errno != ENOTSUP, errno != EPERM {
                throw .system("set an attribute of", path: path, errno: errno)
            }
        }
    }

    private static func setTime(_ time: Int64, of path: String) {
        let moment = timespec(tv_sec: Int(time), tv_nsec: 0)
        _ = withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
            times.initialize(repeating: moment)
            return utimensat(AT_FDCWD, path, times.baseAddress, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// The kernel's encoding of a device number (`makedev`, a macro that Swift cannot see).
    private static func device(_ major: UInt32, _ minor: UInt32) -> dev_t {
        let high: dev_t = dev_t(major & 0xffff_f000) << 32 | dev_t(minor & 0xffff_ff00) << 12
        let low: dev_t = dev_t(major & 0xfff) << 8 | dev_t(minor & 0xff)
        return high | low
    }
}
