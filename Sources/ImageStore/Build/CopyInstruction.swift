import Glibc

/// Where `COPY` takes files from.
struct CopySource {
    /// As errors name it.
    let name: String
    let stack: LayerStack
    let ignore: DockerIgnore?
    /// Files of the context become root's; those of another image keep their owner.
    let keepsOwners: Bool

    func ignores(_ path: String) -> Bool {
        ignore?.ignores(Files.components(path).map(String.init)) ?? false
    }

    /// A directory in a directory and so on takes more of a thread's stack with each.
    func checkDepth(_ path: String) throws(ImageError) {
        guard Files.components(path).count < 100 else {
            throw .usage("\(path.prefix(80))… in \(name): more than 100 directories within each other")
        }
    }

    /// The paths that a source of `COPY` means, sorted.
    func expand(_ pattern: String) throws(ImageError) -> [String] {
        var paths = ["/"]
        for part in Files.components(pattern) {
            var next: [String] = []
            for path in paths {
                let prefix = path == "/" ? "" : path
                guard PathPattern.hasWildcard(part) else {
                    next.append(prefix + "/" + part)
                    continue
                }
                guard let directory = try stack.find(path), directory.isDirectory else { continue }
                let name = PathPattern(String(part))
                next += try stack.names(in: directory).filter { name.matches([$0]) }.map { prefix + "/" + $0 }
            }
            paths = next
        }
        return paths
    }
}

/// `COPY [--from] [--chown] [--chmod] SOURCE… DESTINATION`, with Docker's rules for directories.
struct CopyInstruction {
    private let sources: [String]
    private let destination: String
    private let owner: String?
    private let mode: mode_t?

    init(_ instruction: Dockerfile.Instruction, words: DockerfileWords) throws(ImageError) {
        var owner: String?
        var mode: mode_t?
        for (name, value) in instruction.flags {
            let value = try words.expand(value)
            switch name {
            case "from", "link": break
            case "chown": owner = value
            case "chmod":
                guard let number = mode_t(value, radix: 8), number <= 0o7777 else {
                    throw .usage("--chmod=\(value): takes an octal number such as 755")
                }
                mode = number
            default: throw .usage("--\(name) is not supported: there are --from, --chown, --chmod and --link")
            }
        }
        var paths: [String] = []
        let json = DockerfileWords.jsonForm(instruction.arguments)
        let list = if let json { json } else { try words.split(instruction.arguments) }
        for word in list {
            paths.append(try words.expand(word))
        }
        guard paths.count >= 2, let destination = paths.popLast() else {
            throw .usage("takes at least one source and a destination")
        }
        self.owner = owner
        self.mode = mode
        self.destination = destination
        sources = paths
    }

    /// The files of the layer that it adds on top of `stack`.
    func entries(
        from source: CopySource, into stack: LayerStack, workingDirectory: String
    ) throws(ImageError) -> [String: LayerEntry] {
        var ids: (user: UInt32, group: UInt32)?
        if let owner {
            let identity = try UserNames(stack).identity(owner)
            ids = (identity.user, identity.group ?? identity.user)
        }
        var paths: [String] = []
        for pattern in sources {
            let parts = pattern.split(separator: "/")
            var depth = 0
            for part in parts where part != "." {
                depth += part == ".." ? -1 : 1
                guard depth >= 0 else { throw .usage("\"\(pattern)\" is outside \(source.name)") }
            }
            var found: [String] = []
            for path in try source.expand(pattern) where try isThere(path, in: source) { found.append(path) }
            guard !found.isEmpty else {
                let isIgnored = try source.stack.find("/" + pattern) != nil && source.ignore != nil
                throw .usage(
                    "\"\(pattern)\" is not in \(source.name)" + (isIgnored ? ": .dockerignore leaves it out" : ""))
            }
            paths += found
        }
        let lastPart = destination.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let meansDirectory = ["", ".", ".."].contains(lastPart)
        guard paths.count == 1 || meansDirectory else {
            throw .usage("with more than one source, the destination is a directory and ends with a /")
        }
        let target = Files.clean(destination.hasPrefix("/") ? destination : workingDirectory + "/" + destination)

        var plan = LayerPlan(stack: stack, user: ids?.user ?? 0, group: ids?.group ?? 0)
        let copy = Copy(source: source, ids: ids, mode: mode)
        for path in paths {
            guard let node = try source.stack.find(path) else { continue }
            if node.isDirectory {
                try copy.directory(node, to: target, in: &plan, name: path)
            } else {
                let isInto = if meansDirectory { true } else { try plan.hasDirectory(target) }
                let place = isInto ? (target == "/" ? "" : target) + "/" + Files.lastName(path) : target
                try copy.leaf(node, to: place, in: &plan)
            }
        }
        return plan.entries
    }

    /// Not there is also what `.dockerignore` leaves out, with everything in it.
    private func isThere(_ path: String, in source: CopySource) throws(ImageError) -> Bool {
        guard let node = try source.stack.find(path) else { return false }
        if path == "/" || !source.ignores(path) { return true }
        guard node.isDirectory else { return false }
        try source.checkDepth(path)
        for name in try source.stack.names(in: node) where try isThere(path + "/" + name, in: source) { return true }
        return false
    }
}

/// Copies files of a source into a layer's plan.
private struct Copy {
    let source: CopySource
    let ids: (user: UInt32, group: UInt32)?
    let mode: mode_t?

    /// The contents of a directory. `name` is its path as `.dockerignore` knows it.
    func directory(
        _ node: LayerStack.Node, to target: String, in plan: inout LayerPlan, name: String
    ) throws(ImageError) {
        if name == "/" || !source.ignores(name) {
            let (user, group) = owner(node)
            try plan.makeDirectory(target, mode: mode ?? node.status.st_mode & 0o7777, user: user, group: group)
        }
        try source.checkDepth(name)
        for childName in try source.stack.names(in: node) {
            guard let child = try source.stack.child(childName, of: node) else { continue }
            let childPath = (name == "/" ? "" : name) + "/" + childName
            let place = (target == "/" ? "" : target) + "/" + childName
            if child.isDirectory {
                try directory(child, to: place, in: &plan, name: childPath)
            } else if !source.ignores(childPath) {
                try leaf(child, to: place, in: &plan)
            }
        }
    }

    /// A file or a link.
    func leaf(_ node: LayerStack.Node, to place: String, in plan: inout LayerPlan) throws(ImageError) {
        let (user, group) = owner(node)
        let contents: LayerEntry.Contents
        switch node.kind {
        case S_IFREG: contents = .file(source: node.places[0], size: Int(node.status.st_size))
        case S_IFLNK: contents = .link(target: try Files.linkTarget(node.places[0].onDisk))
        case S_IFSOCK: return  // means nothing without the process that made it
        default: throw .usage("\(node.path) in \(source.name) is neither a file, a directory nor a link")
        }
        try plan.add(
            LayerEntry(contents: contents, mode: mode ?? node.status.st_mode & 0o7777, user: user, group: group),
            at: place)
    }

    private func owner(_ node: LayerStack.Node) -> (user: UInt32, group: UInt32) {
        ids ?? (source.keepsOwners ? (node.status.st_uid, node.status.st_gid) : (0, 0))
    }
}
