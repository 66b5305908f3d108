import Glibc

/// The files of a layer to be, placed on top of a tree: links on the way are followed, and directories of the tree
/// keep their owner and mode, since an overlay shows those of the uppermost layer.
struct LayerPlan {
    let stack: LayerStack
    /// Of directories made on the way.
    let user: UInt32
    let group: UInt32
    private(set) var entries: [String: LayerEntry] = [:]

    init(stack: LayerStack, user: UInt32, group: UInt32) {
        self.stack = stack
        self.user = user
        self.group = group
    }

    /// Makes a directory, unless it is there. Returns its place with links resolved.
    @discardableResult
    mutating func makeDirectory(
        _ path: String, mode: mode_t, user: UInt32? = nil, group: UInt32? = nil
    ) throws(ImageError) -> String {
        let (node, rest) = try stack.resolve(path)
        guard node.isDirectory else { throw .usage("\(node.path) is there already and is no directory") }
        keep(node)
        var place = node.path == "/" ? "" : node.path
        for (index, name) in rest.enumerated() {
            place += "/" + name
            if let entry = entries[place] {
                guard case .directory = entry.contents else {
                    throw .usage("\(place) is there already and is no directory")
                }
                continue
            }
            let isLast = index == rest.count - 1
            entries[place] = LayerEntry(
                contents: .directory, mode: isLast ? mode : 0o755, user: (isLast ? user : nil) ?? self.user,
                group: (isLast ? group : nil) ?? self.group)
        }
        return place.isEmpty ? "/" : place
    }

    /// Adds a file or link; makes the directories on its way.
    mutating func add(_ entry: LayerEntry, at path: String) throws(ImageError) {
        let directory = try makeDirectory(Files.parent(path), mode: 0o755)
        let place = (directory == "/" ? "" : directory) + "/" + Files.lastName(path)
        var isDirectory = try stack.find(place, followingLast: false)?.isDirectory == true
        if case .directory = entries[place]?.contents { isDirectory = true }
        guard !isDirectory else { throw .usage("\(place) is a directory: a file cannot replace it") }
        entries[place] = entry
    }

    /// Whether a directory, or a link to one, is at `path`.
    func hasDirectory(_ path: String) throws(ImageError) -> Bool {
        if case .directory = entries[path]?.contents { return true }
        return try stack.find(path)?.isDirectory == true
    }

    private mutating func keep(_ node: LayerStack.Node) {
        var path = node.path
        while path != "/" {
            if entries[path] == nil, let status = (try? stack.find(path, followingLast: false))??.status {
                entries[path] = LayerEntry(
                    contents: .directory, mode: status.st_mode & 0o7777, user: status.st_uid, group: status.st_gid)
            }
            path = Files.parent(path)
        }
    }
}
