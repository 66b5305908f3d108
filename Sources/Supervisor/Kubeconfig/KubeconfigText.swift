import KubernetesModel

/// The text of a kubeconfig, changed line by line: what is not changed stays byte for byte, comments included.
///
/// Lists are edited in YAML's block style, in which kubectl and the providers' tools write them. Where the text has
/// another shape (flow style, JSON, anchors on a list), `edit` refuses rather than write the whole file anew.
struct KubeconfigText {
    private(set) var text: String
    private(set) var content: JSON

    /// - Throws: `YamlError` where the text is not YAML, `Refusal` where it is no mapping.
    init(_ text: String) throws {
        self.text = text
        content = try JSON(yaml: text)
        guard content.isNull || content.object != nil else { throw Refusal(problem: "the kubeconfig is no mapping") }
    }

    /// Why a text cannot be edited.
    struct Refusal: Error, Equatable {
        let problem: String
    }

    /// One change of a kubeconfig.
    enum Change: Equatable {
        /// Adds an entry to a list (`clusters`, `contexts`, `users`), or replaces the one of its name.
        case set(JSON, list: String)
        case remove(String, list: String)
        /// Sets a top-level field that holds a text.
        case field(String, String)
    }

    /// Applies the changes in order.
    ///
    /// - Throws: `Refusal` where the result would not read as the changed document; the text is unchanged then.
    mutating func edit(_ changes: [Change]) throws(Refusal) {
        var lines = Lines(isPlaceholder ? "" : text)
        var wanted = content.isNull ? JSON.object([:]) : content
        for change in changes {
            switch change {
            case .set(let entry, let list):
                let index = Self.index(of: entry["name"], in: wanted[list])
                try lines.set(Self.lines(of: .array([entry])), at: index, in: list, count: wanted[list].items.count)
                var entries = wanted[list].items
                if let index { entries[index] = entry } else { entries.append(entry) }
                wanted[list] = .array(entries)
            case .remove(let name, let list):
                guard let index = Self.index(of: .string(name), in: wanted[list]) else { continue }
                try lines.remove(at: index, in: list, count: wanted[list].items.count)
                var entries = wanted[list].items
                entries.remove(at: index)
                wanted[list] = .array(entries)
            case .field(let key, let value):
                try lines.set(field: key, Self.lines(of: .object([key: .string(value)])))
                wanted[key] = .string(value)
            }
        }
        let result = lines.text
        // Whatever the lines looked like: only a text that reads as the changed document counts.
        guard let read = try? JSON(yaml: result), read == wanted else { throw Lines.unknownStyle }
        text = result
        content = wanted
    }

    /// Whether the text stands for an empty document by a word that edited lines cannot follow.
    private var isPlaceholder: Bool {
        let word = text.split(whereSeparator: \.isWhitespace)
        return word == ["{}"] || word == ["null"]
    }

    private static func index(of name: JSON, in list: JSON) -> Int? { list.items.firstIndex { $0["name"] == name } }

    private static func lines(of document: JSON) throws(Refusal) -> [String] {
        guard let text = try? document.yaml else { throw Refusal(problem: "an entry cannot be written as YAML") }
        return text.split(separator: "\n").map(String.init)
    }
}

/// A YAML text as lines, with a list of entries found by its key and its items by their indentation.
private struct Lines {
    private var lines: [String]
    /// The last line, where no line break ends it.
    private let unended: String?

    static let unknownStyle = KubeconfigText.Refusal(
        problem: "the kubeconfig is not in YAML's block style, so that it would have to be written anew as a whole")

    init(_ text: String) {
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        // The end of the last line is no line of its own.
        if lines.last == "" { lines.removeLast() }
        unended = text.isEmpty || text.utf8.last == UInt8(ascii: "\n") ? nil : lines.last
    }

    var text: String { lines.joined(separator: "\n") + (lines.isEmpty || lines.last == unended ? "" : "\n") }

    /// A list: its key's line, and the lines of each of its items.
    private struct Section {
        let header: Int
        let items: [Range<Int>]
        let indentation: Int
    }

    mutating func set(_ entry: [String], at index: Int?, in list: String, count: Int) throws(KubeconfigText.Refusal) {
        guard let section = try section(list, count: count) else {
            return lines.insert(contentsOf: ["\(list):"] + entry, at: end)
        }
        let entry = entry.map { String(repeating: " ", count: section.indentation) + $0 }
        if let index {
            lines.replaceSubrange(section.items[index], with: entry)
        } else {
            lines.insert(contentsOf: entry, at: section.items.last?.upperBound ?? section.header + 1)
            if section.items.isEmpty { try setHeader(section.header, "\(list):") }
        }
    }

    mutating func remove(at index: Int, in list: String, count: Int) throws(KubeconfigText.Refusal) {
        guard let section = try section(list, count: count) else { throw Self.unknownStyle }
        lines.removeSubrange(section.items[index])
        if section.items.count == 1 { try setHeader(section.header, "\(list): []") }
    }

    mutating func set(field key: String, _ field: [String]) throws(KubeconfigText.Refusal) {
        guard let place = lines.firstIndex(where: { Self.key(of: $0) == key }) else {
            return lines.insert(contentsOf: field, at: end)
        }
        guard field.count == 1 else { throw Self.unknownStyle }
        try setHeader(place, field[0])
    }

    /// Before the mark that ends a document.
    private var end: Int { lines.lastIndex { $0.hasPrefix("...") } ?? lines.count }

    /// Replaces a key's line and keeps its comment.
    private mutating func setHeader(_ place: Int, _ text: String) throws(KubeconfigText.Refusal) {
        lines[place] = text + Self.comment(of: lines[place])
    }

    private func section(_ list: String, count: Int) throws(KubeconfigText.Refusal) -> Section? {
        guard let header = lines.firstIndex(where: { Self.key(of: $0) == list }) else { return nil }
        let rest = lines.indices[(header + 1)...]
        let end = rest.first {
            Self.isContent(lines[$0]) && Self.indentation(lines[$0]) == 0 && !Self.isItem(lines[$0])
        }
        let body = (header + 1)..<(end ?? lines.endIndex)
        guard let first = body.first(where: { Self.isContent(lines[$0]) }) else {
            guard count == 0 else { throw Self.unknownStyle }
            return Section(header: header, items: [], indentation: 0)
        }
        let indentation = Self.indentation(lines[first])
        let starts = body.filter { Self.isItem(lines[$0]) && Self.indentation(lines[$0]) == indentation }
        guard starts.first == first, starts.count == count else { throw Self.unknownStyle }
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
    private static func key(of line: String) -> String? {
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
