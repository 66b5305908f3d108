import KubernetesModel

/// A kubeconfig in YAML's block style as lines, with a list of entries found by its key and its items by their
/// indentation.
struct KubeconfigLines: KubeconfigEditor {
    private let key: String
    private var lines: [String]
    /// Whether a line break ends the last line.
    private var isEnded: Bool

    init(_ text: String, key: String) {
        self.key = key
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        // The end of the last line is no line of its own.
        if lines.last == "" { lines.removeLast() }
        isEnded = text.isEmpty || text.utf8.last == UInt8(ascii: "\n")
    }

    var text: String { lines.joined(separator: "\n") + (lines.isEmpty || !isEnded ? "" : "\n") }

    /// A list: its key's line, and the lines of each of its items.
    private struct Section {
        let header: Int
        let items: [Range<Int>]
        let indentation: Int
    }

    mutating func set(_ entry: JSON, at index: Int?, of count: Int) throws(KubeconfigText.Refusal) {
        let entry = try Self.lines(of: .array([entry]))
        guard let section = try section(count) else {
            return insert(["\(key):"] + entry, at: end)
        }
        let indented = entry.map { String(repeating: " ", count: section.indentation) + $0 }
        if let index {
            lines.replaceSubrange(section.items[index], with: indented)
        } else {
            insert(indented, at: section.items.last?.upperBound ?? section.header + 1)
            if section.items.isEmpty { setHeader(section.header, "\(key):") }
        }
    }

    mutating func remove(at index: Int, of count: Int) throws(KubeconfigText.Refusal) {
        guard let section = try section(count) else { throw .unknownShape }
        lines.removeSubrange(section.items[index])
        if section.items.count == 1 { setHeader(section.header, "\(key): []") }
    }

    mutating func set(_ value: String) throws(KubeconfigText.Refusal) {
        let field = try Self.lines(of: .object([key: .string(value)]))
        guard let place = header else { return insert(field, at: end) }
        guard field.count == 1 else { throw .unknownShape }
        setHeader(place, field[0])
    }

    private mutating func insert(_ added: [String], at place: Int) {
        if place == lines.count { isEnded = true }
        lines.insert(contentsOf: added, at: place)
    }

    private static func lines(of document: JSON) throws(KubeconfigText.Refusal) -> [String] {
        guard let text = try? document.yaml else { throw .init(problem: "an entry cannot be written as YAML") }
        return text.split(separator: "\n").map(String.init)
    }

    /// The key's line.
    private var header: Int? { lines.firstIndex { Self.key(of: $0) == key } }

    /// Before the mark that ends a document.
    private var end: Int { lines.lastIndex { $0.hasPrefix("...") } ?? lines.count }

    /// Replaces a key's line and keeps its comment.
    private mutating func setHeader(_ place: Int, _ text: String) {
        lines[place] = text + Self.comment(of: lines[place])
    }

    private func section(_ count: Int) throws(KubeconfigText.Refusal) -> Section? {
        guard let header else { return nil }
        let rest = lines.indices[(header + 1)...]
        let end = rest.first {
            Self.isContent(lines[$0]) && Self.indentation(lines[$0]) == 0 && !Self.isItem(lines[$0])
        }
        let body = (header + 1)..<(end ?? lines.endIndex)
        guard let first = body.first(where: { Self.isContent(lines[$0]) }) else {
            guard count == 0 else { throw .unknownShape }
            return Section(header: header, items: [], indentation: 0)
        }
        let indentation = Self.indentation(lines[first])
        let starts = body.filter { Self.isItem(lines[$0]) && Self.indentation(lines[$0]) == indentation }
        guard starts.first == first, starts.count == count else { throw .unknownShape }
        let ends = starts.dropFirst() + [body.upperBound]
        let items = zip(starts, ends).map { start, end in
            // Comments before the next item or key are that one's.
            let last = (start..<end).last { Self.isContent(lines[$0]) || Self.indentation(lines[$0]) > indentation }
            return start..<((last ?? start) + 1)
        }
        return Section(header: header, items: items, indentation: indentation)
    }

    private static func indentation(_ line: String) -> Int { line.utf8.prefix { $0 == UInt8(ascii: " ") }.count }

    /// Whether a line is more than white space and a comment.
    private static func isContent(_ line: String) -> Bool {
        guard let first = line.unicodeScalars.first(where: { !$0.properties.isWhitespace }) else { return false }
        return first != "#"
    }

    private static func isItem(_ line: String) -> Bool {
        let rest = line.utf8.drop { $0 == UInt8(ascii: " ") }
        return rest.first == UInt8(ascii: "-") && (rest.count == 1 || rest.dropFirst().first == UInt8(ascii: " "))
    }

    /// The key of a line at the top level.
    static func key(of line: String) -> String? {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return String(line[..<colon]).filter { $0 != "\"" && $0 != "'" }
    }

    /// The comment at the end of a line, with the space before it.
    private static func comment(of line: String) -> String {
        var quote: Character?
        for (index, character) in zip(line.indices, line) {
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "#", index > line.startIndex, line[line.index(before: index)] == " " {
                return " " + line[index...]
            }
        }
        return ""
    }
}
