import CArchive
import Glibc
import Linux

extension Layout {
    /// The directory with a layer's files, unpacked now if it was not before.
    func unpacked(_ layer: StoredLayer) throws(ImageError) -> String {
        guard let hex = Digest.hex(layer.diffID) else {
            throw .damaged(path: root, problem: "\"\(layer.diffID)\" is no SHA-256 digest")
        }
        let directory = "\(root)/layers/\(hex)"
        if Files.exists(directory) { return directory }
        let lock = try ImageError.mapping { () throws(SystemError) in try FileLock(root + "/use.lock", .shared) }
        let temporary = Files.temporaryPath(beside: directory)
        do throws(ImageError) {
            try unpack(layer, into: temporary)
            // Where another process was faster, its directory stays.
            guard rename(temporary, directory) == 0 || errno == EEXIST || errno == ENOTEMPTY else {
                throw .system("rename", path: directory, errno: errno)
            }
            if Files.exists(temporary) { try Files.removeTree(temporary) }
        } catch {
            try? Files.removeTree(temporary)
            throw error
        }
        try Files.syncDirectory(of: directory)
        _ = consume lock
        return directory
    }

    /// - Parameter directory: is made.
    private func unpack(_ layer: StoredLayer, into directory: String) throws(ImageError) {
        let path = try blobPath(layer.digest)
        let blob = try verifiedBlob(layer.digest)
        guard mkdir(directory, 0o755) == 0 else { throw .system("create directory", path: directory, errno: errno) }
        let top = try ImageError.mapping { () throws(SystemError) in
            try Descriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        }
        top.withRawValue { _ = fchmod($0, 0o755) }
        let outcome: LayerUnpacker.Outcome
        switch unpacking {
        case .child(let program):
            outcome = try LayerChild(program: program).run(blob, archive: path, into: directory)
        case .here:
            let own = try ImageError.mapping { () throws(SystemError) in try top.duplicate() }
            var unpacker = LayerUnpacker(archive: path, into: own)
            outcome = try unpacker.run(blob)
        }
        guard outcome.diffID == layer.diffID else {
            throw .damaged(path: path, problem: "it has the diffID \(outcome.diffID), and not \(layer.diffID)")
        }
        try LayerUnpacker.markOpaque(outcome.opaque, in: top)
        // One flush for all files; blobs are flushed one by one, but a layer can have very many.
        guard top.withRawValue({ syncfs($0) }) == 0 else { throw .system("sync", path: directory, errno: errno) }
    }

    /// A blob whose bytes are those that its name says: nothing of it is interpreted before.
    private func verifiedBlob(_ digest: String) throws(ImageError) -> Descriptor {
        let path = try blobPath(digest)
        // Read from its beginning by whoever unpacks it.
        let blob = try ImageError.mapping { () throws(SystemError) in
            try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        }
        let found = try ImageError.mapping(path: path) { () throws(SystemError) in
            guard try blob.status().st_mode & S_IFMT == S_IFREG else { throw SystemError("read", errno: EINVAL) }
            return try Digest.of(blob)
        }
        guard found == digest else { throw .damaged(path: path, problem: "its digest is \(found)") }
        return blob
    }
}
