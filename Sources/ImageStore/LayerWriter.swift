import CArchive
import Glibc
import Linux

/// A file that goes into a layer.
struct LayerEntry {
    enum Contents {
        case directory
        case file(source: LayerPlace, size: Int)
        case link(target: String)
    }

    var contents: Contents
    /// Permissions.
    var mode: mode_t
    var user: UInt32
    var group: UInt32
}

/// Writes layers as tar files without compression: what is in them alone decides their bytes, not a compressor's
/// version, and building and unpacking cost less. All files carry the same time for the same reason.
struct LayerWriter {
    let layout: Layout

    /// Seconds; `SOURCE_DATE_EPOCH` if set (reproducible-builds.org), else 0.
    private var time: Int64 { getenv("SOURCE_DATE_EPOCH").flatMap { Int64(String(cString: $0)) } ?? 0 }

    /// Adds a layer with these files (absolute path → file) to the store's blobs; returns it and its descriptor.
    func write(_ entries: [String: LayerEntry]) throws(ImageError) -> (layer: StoredLayer, descriptor: (String, Int)) {
        if let problem = carchive_load_error() {
            throw .usage("\(String(cString: problem)): install it (Debian: apt install libarchive13)")
        }
        let size = entries.values.reduce(0) { sum, entry in
            guard case .file(_, let size) = entry.contents else { return sum }
            return sum.addingReportingOverflow(size).overflow ? .max : sum + size
        }
        // With room for the tar's own blocks.
        guard size < LayerUnpacker.Limits().bytes / 2 else {
            throw .usage("the files have \(size) bytes, more than a layer may have: leave some out, or holes in them")
        }
        let temporary = Files.temporaryPath(beside: layout.root + "/blobs/sha256/layer")
        let file = try ImageError.mapping { () throws(SystemError) in
            try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        }
        do throws(ImageError) {
            // Until it is closed below, it writes to the file by its number.
            guard let writer = file.withRawValue({ carchive_writer_open($0) }) else {
                throw .system("write", path: temporary, errno: errno)
            }
            do throws(ImageError) {
                for path in entries.keys.sorted() {
                    if let entry = entries[path] { try add(entry, as: String(path.dropFirst()), to: writer) }
                }
            } catch {
                carchive_writer_close(writer)
                throw error
            }
            guard carchive_writer_close(writer) == 0 else {
                throw .system("write", path: temporary, errno: errno)
            }
            let size = try ImageError.mapping(path: temporary) { () throws(SystemError) in
                try file.sync()
                return try file.status().st_size
            }
            let digest = try Digest.ofFile(temporary)
            try Files.publish(temporary, as: try layout.blobPath(digest))
            return (StoredLayer(digest: digest, diffID: digest), (digest, size))
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private func add(_ entry: LayerEntry, as path: String, to writer: OpaquePointer) throws(ImageError) {
        var header = carchive_entry()
        header.uid = Int64(entry.user)
        header.gid = Int64(entry.group)
        header.mtime = time
        var result: Int32
        switch entry.contents {
        case .directory:
            header.mode = S_IFDIR | entry.mode
            result = Self.add(&header, path: path, link: nil, to: writer)
        case .link(let target):
            header.mode = S_IFLNK | 0o777
            result = Self.add(&header, path: path, link: target, to: writer)
        case .file(let source, let size):
            header.mode = S_IFREG | entry.mode
            header.size = Int64(size)
            result = Self.add(&header, path: path, link: nil, to: writer)
            if result == 0 { try copy(source, size: size, to: writer) }
        }
        guard result == 0 else {
            throw .usage("cannot write /\(path) into the layer: \(String(cString: carchive_writer_error(writer)))")
        }
    }

    private static func add(
        _ header: inout carchive_entry, path: String, link: String?, to writer: OpaquePointer
    ) -> Int32 {
        path.withCString { path in
            header.path = path
            guard let link else { return carchive_writer_add(writer, &header) }
            return link.withCString { link in
                header.symlink = link
                return carchive_writer_add(writer, &header)
            }
        }
    }

    private func copy(_ source: LayerPlace, size: Int, to writer: OpaquePointer) throws(ImageError) {
        let file = try source.openFile()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var left = size
        while left > 0 {
            let read = try ImageError.mapping(path: source.onDisk) { () throws(SystemError) in
                try file.read(into: &buffer)
            }
            // What was added meanwhile is left out.
            let count = min(read, left)
            if count == 0 { throw .usage("\(source.onDisk) became shorter while it was copied: build again") }
            guard carchive_writer_write(writer, buffer, count) == 0 else {
                throw .usage("cannot write the layer: \(String(cString: carchive_writer_error(writer)))")
            }
            left -= count
        }
    }
}
