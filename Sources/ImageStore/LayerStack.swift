import CArchive
import Glibc

/// The files of several layers as one tree, as an overlay of them would show it; without mounting anything.
struct LayerStack {
    /// Lowest first; `/` for the machine's own root.
    var layers: [String]

    /// A file of the tree.
    struct Node {
        /// Its place in the tree, with links on the way resolved.
        let path: String
        let status: stat
        /// Where it is on disk: one place, or for a directory each layer's part of it, uppermost first.
        let places: [LayerPlace]

        var kind: mode_t { status.st_mode & S_IFMT }
        var isDirectory: Bool { kind == S_IFDIR }
    }

    /// What is at `path`; nil where nothing is. Links on the way are followed, and stay inside the tree.
    func find(_ path: String, followingLast: Bool = true) throws(ImageError) -> Node? {
        let resolved = try resolve(path, followingLast: followingLast)
        return resolved.rest.isEmpty ? resolved.node : nil
    }

    /// The deepest existing part of `path`, and the names after it that do not exist.
    func resolve(_ path: String, followingLast: Bool = true) throws(ImageError) -> (node: Node, rest: [String]) {
        var pending = Files.components(path).map(String.init)
        var trail = [try rootNode()]
        var links = 0
        while !pending.isEmpty {
            let name = pending.removeFirst()
            if name == ".." {
                if trail.count > 1 { trail.removeLast() }
                continue
            }
            guard let current = trail.last, let child = try child(name, of: current) else {
                return (trail[trail.count - 1], [name] + pending)
            }
            if child.kind == S_IFLNK, !pending.isEmpty || followingLast {
                links += 1
                guard links <= 40 else { throw .system("follow links of", path: path, errno: ELOOP) }
                let target = try Files.linkTarget(child.places[0].onDisk)
                if target.hasPrefix("/") { trail.removeSubrange(1...) }
                pending = target.split(separator: "/").filter { $0 != "." }.map(String.init) + pending
                continue
            }
            if !child.isDirectory, !pending.isEmpty { throw .system("enter", path: child.path, errno: ENOTDIR) }
            trail.append(child)
        }
        return (trail[trail.count - 1], [])
    }

    /// The names in a directory, sorted.
    func names(in directory: Node) throws(ImageError) -> [String] {
        var names: Set<String> = []
        for place in directory.places { names.formUnion(try Files.names(in: place.onDisk)) }
        var visible: [String] = []
        for name in names.sorted() where try child(name, of: directory) != nil { visible.append(name) }
        return visible
    }

    func child(_ name: String, of directory: Node) throws(ImageError) -> Node? {
        let path = directory.path == "/" ? "/" + name : directory.path + "/" + name
        var first: stat?
        var places: [LayerPlace] = []
        for place in directory.places {
            let candidate = place.appending(name)
            guard let status = try Files.status(candidate.onDisk) else { continue }
            if status.st_mode & S_IFMT == S_IFCHR, status.st_rdev == 0 { break }  // a whiteout
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            if first != nil, !isDirectory { break }
            first = first ?? status
            places.append(candidate)
            if !isDirectory || Self.isOpaque(candidate.onDisk) { break }
        }
        return first.map { Node(path: path, status: $0, places: places) }
    }

    private func rootNode() throws(ImageError) -> Node {
        var first: stat?
        for layer in layers.reversed() where first == nil { first = try Files.status(layer) }
        var empty = stat()
        empty.st_mode = S_IFDIR | 0o755
        return Node(
            path: "/", status: first ?? empty, places: layers.reversed().map { LayerPlace(layer: $0, path: "") })
    }

    private static func isOpaque(_ path: String) -> Bool {
        ["trusted.overlay.opaque", "user.overlay.opaque"].contains { name in
            var value: UInt8 = 0
            return lgetxattr(path, name, &value, 1) == 1 && value == UInt8(ascii: "y")
        }
    }
}
