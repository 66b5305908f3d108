/// The fields that a text has and should not have, each told once.
///
/// There is an end to them, as upstream's decoder has it: what a client sends must not make the server's answer, or the
/// work for it, many times as long.
package struct FieldPaths {
    package static let most = 100
    /// A path can be as long as the text, and come as often as the text has fields.
    private static let mostBytes = 1 << 20

    package private(set) var texts: [String] = []
    private var known: Set<String> = []
    private var bytes = 0

    /// Whether no further path is taken, so that none need be written.
    package var isFull: Bool { texts.count >= Self.most || bytes >= Self.mostBytes }

    package init() {}

    package mutating func note(_ path: String) {
        guard !isFull else { return }
        bytes += path.utf8.count
        if known.insert(path).inserted { texts.append(path) }
    }
}
