/// The users and groups of an image: its own `/etc/passwd` and `/etc/group`, not the machine's.
struct UserNames {
    private let users: [[Substring]]
    private let groups: [[Substring]]

    init(_ stack: LayerStack) throws(ImageError) {
        users = try Self.table("/etc/passwd", stack)
        groups = try Self.table("/etc/group", stack)
    }

    /// `USER[:GROUP]`, each a name or a number. Without a group: the user's own one; nil for an unknown number.
    func identity(_ text: String) throws(ImageError) -> (user: UInt32, group: UInt32?) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let entry = users.first { $0.first == parts[0] } ?? users.first { $0.count > 3 && $0[2] == parts[0] }
        guard let user = UInt32(parts[0]) ?? entry.flatMap({ $0.count > 3 ? UInt32($0[2]) : nil }) else {
            throw .usage("the image's /etc/passwd has no user \"\(parts[0])\"; a number always works")
        }
        guard parts.count > 1 else {
            return (user, entry.flatMap { $0.count > 3 ? UInt32($0[3]) : nil })
        }
        let group = groups.first { $0.first == parts[1] }.flatMap { $0.count > 2 ? UInt32($0[2]) : nil }
        guard let group = UInt32(parts[1]) ?? group else {
            throw .usage("the image's /etc/group has no group \"\(parts[1])\"; a number always works")
        }
        return (user, group)
    }

    /// The groups that list the user as a member.
    func supplementaryGroups(of user: UInt32) -> [UInt32] {
        guard let name = users.first(where: { $0.count > 2 && UInt32($0[2]) == user })?.first else { return [] }
        return groups.compactMap { entry in
            guard entry.count > 3, entry[3].split(separator: ",").contains(name) else { return nil }
            return UInt32(entry[2])
        }
    }

    private static func table(_ path: String, _ stack: LayerStack) throws(ImageError) -> [[Substring]] {
        let text = String(decoding: try ImageFiles(layers: stack.layers).table(path) ?? [], as: UTF8.self)
        return text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }
}
