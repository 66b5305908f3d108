import CArchive
import Glibc
import Linux

// The directories of a layer, and the attributes of what is in them.
extension LayerUnpacker {
    /// Opens a directory that is there; a link on the way is an error.
    func openExisting(_ path: String) throws(SystemError) -> Descriptor {
        try Self.openExisting(path, in: top)
    }

    private static func openExisting(_ path: String, in top: borrowing Descriptor) throws(SystemError) -> Descriptor {
        if path.isEmpty { return try top.duplicate() }
        return try Descriptor.open(path, in: top, O_RDONLY | O_DIRECTORY, confined: [.beneath, .noLinks])
    }

    /// Opens a directory of the layer, making those that are missing; a link on the way is an error.
    func openDirectory(_ parts: ArraySlice<Substring>) throws(ImageError) -> Descriptor {
        let path = parts.joined(separator: "/")
        do throws(SystemError) {
            do throws(SystemError) {
                return try openExisting(path)
            } catch  where error.errno == ENOENT {
                var current = try top.duplicate()
                for part in parts {
                    let name = String(part)
                    let isNew = current.withRawValue { mkdirat($0, name, 0o700) } == 0
                    let next = try Descriptor.open(name, in: current, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
                    if isNew { next.withRawValue { _ = fchmod($0, 0o755) } }
                    current = next
                }
                return current
            }
        } catch {
            throw .system("enter", path: "\(name): /\(path)", errno: error.errno)
        }
    }

    func set(
        _ entry: carchive_entry, from reader: OpaquePointer, on file: borrowing Descriptor, path: String
    ) throws(ImageError) {
        if geteuid() == 0, file.withRawValue({ fchown($0, uid_t(entry.uid), gid_t(entry.gid)) }) != 0 {
            throw failure("set the owner of", path)
        }
        // After the owner, since a change of owner clears set-user-ID.
        guard file.withRawValue({ fchmod($0, entry.mode & 0o7777) }) == 0 else {
            throw failure("set the mode of", path)
        }
        try setExtendedAttributes(from: reader, on: file, path: path)
    }

    func setOwnerAndTime(
        _ entry: carchive_entry, of name: String, in parent: borrowing Descriptor, path: String
    ) throws(ImageError) {
        let result = parent.withRawValue { parent in
            withTime(entry.mtime) { _ = utimensat(parent, name, $0, AT_SYMLINK_NOFOLLOW) }
            return geteuid() == 0
                ? fchownat(parent, name, uid_t(entry.uid), gid_t(entry.gid), AT_SYMLINK_NOFOLLOW) : 0
        }
        guard result == 0 else { throw failure("set the owner of", path) }
    }

    /// File capabilities, and what programs keep with files. All else is the machine's own: how it labels files, and how
    /// overlays hide them. What the filesystem or the user may not have is left out.
    private func setExtendedAttributes(
        from reader: OpaquePointer, on file: borrowing Descriptor, path: String
    ) throws(ImageError) {
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while carchive_reader_next_xattr(reader, &name, &value, &size) == 1 {
            guard let name else { continue }
            let text = String(cString: name)
            guard text == "security.capability" || (text.hasPrefix("user.") && !text.hasPrefix("user.overlay.")) else {
                continue
            }
            if file.withRawValue({ fsetxattr($0, name, value, size, 0) }) != 0, errno != ENOTSUP, errno != EPERM {
                throw failure("set an attribute of", path)
            }
        }
    }

    /// Has directories of an unpacked layer hide what lower layers have there. `trusted.` attributes are root's only.
    static func markOpaque(_ directories: [String], in top: borrowing Descriptor) throws(ImageError) {
        for path in directories {
            do throws(SystemError) {
                let directory = try openExisting(path, in: top)
                let isMarked = directory.withRawValue { number in
                    fsetxattr(number, "trusted.overlay.opaque", "y", 1, 0) == 0
                        || fsetxattr(number, "user.overlay.opaque", "y", 1, 0) == 0
                }
                guard isMarked else { throw SystemError("mark as opaque") }
            } catch {
                throw .system("mark as opaque", path: path, errno: error.errno)
            }
        }
    }

    static func setTime(_ time: Int64, of file: Int32) { withTime(time) { _ = futimens(file, $0) } }
}

private func withTime(_ time: Int64, _ body: (UnsafePointer<timespec>) -> Void) {
    withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
        times.initialize(repeating: timespec(tv_sec: Int(time), tv_nsec: 0))
        if let first = times.baseAddress { body(first) }
    }
}
