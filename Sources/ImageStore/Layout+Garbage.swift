import Glibc
import Linux

extension Layout {
    /// Removes blobs and layer directories that no name needs, and what interrupted writes left.
    ///
    /// While another process builds or unpacks, nothing is removed: the next collection does it.
    func collectGarbage() throws(ImageError) {
        try prepare()
        let tried = try ImageError.mapping { () throws(SystemError) in try FileLock(trying: root + "/use.lock") }
        guard let lock = consume tried else { return }
        var blobs: Set<String> = []
        var layers: Set<String> = []
        for descriptor in try index().manifests {
            let image = try image(descriptor)
            let digests = [image.digest, image.id] + image.layers.map(\.digest)
            blobs.formUnion(digests.compactMap { Digest.hex($0).map(String.init) })
            layers.formUnion(image.layers.compactMap { Digest.hex($0.diffID).map(String.init) })
        }
        for name in try Files.names(in: root + "/blobs/sha256") where !blobs.contains(name) {
            try Files.removeTree("\(root)/blobs/sha256/\(name)")
        }
        let unneeded = try Files.names(in: root + "/layers").filter { !layers.contains($0) }
        guard !unneeded.isEmpty else { return }
        let mounted = Self.mountTables()
        for name in unneeded where !mounted.contains(where: { $0.contains(name) }) {
            try Files.removeTree("\(root)/layers/\(name)")
        }
        _ = consume lock
    }

    /// The mount tables of every mount namespace: a layer directory named in one is a running container's.
    private static func mountTables() -> [String] {
        var namespaces: Set<String> = []
        var tables: [String] = []
        for pid in (try? Files.names(in: "/proc")) ?? [] where pid.utf8.allSatisfy({ (48...57).contains($0) }) {
            // A process may end meanwhile; what it had mounted alone is then mounted no more.
            guard let namespace = try? Files.linkTarget("/proc/\(pid)/ns/mnt"),
                namespaces.insert(namespace).inserted,
                let bytes = try? Files.read("/proc/\(pid)/mountinfo")
            else { continue }
            tables.append(String(decoding: bytes, as: UTF8.self))
        }
        return tables
    }
}
