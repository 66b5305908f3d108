/// The paths of fields that an object should not have, each once.
///
/// There is a max, as in upstream's decoder: what a client sends must not make the server's answer, or the work for it,
/// many times as long.
package struct FieldPaths {
    package static let max = 100
    /// A path can be as long as the text, and come as often as the text has fields.
    private static let maxBytes = 1 << 20

    package private(set) var texts: [String] = []
    private var known: Set<String> = []
    private var bytes = 0

    /// Whether no further path is taken, so that none need be written.
    package var isFull: Bool { texts.count >= Self.max || bytes >= Self.maxBytes }

    package init() {}

    package mutating func note(_ path: String) {
        guard !isFull else { return }
        bytes += path.utf8.count
        if known.insert(path).inserted { texts.append(path) }
    }
}
