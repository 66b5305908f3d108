import KubernetesModel

/// The text of a kubeconfig, changed in place: what is not changed stays byte for byte, comments included.
///
/// Lists are edited in YAML's block style, in which kubectl and the providers' tools write them, and in its flow style,
/// of which JSON is a part. Where the text has another shape (an anchor on a list, say), `edit` refuses rather than
/// write the whole file anew.
struct KubeconfigText {
    private(set) var text: String
    private(set) var content: JSON

    /// - Throws: `YAMLDecodingError` where the text is not YAML, `Refusal` where it is no mapping.
    init(_ text: String) throws {
        self.text = text
        content = try JSON(yaml: text)
        guard content.isNull || content.object != nil else { throw Refusal(problem: "the kubeconfig is no mapping") }
    }

    /// Why a text cannot be edited.
    struct Refusal: Error, Equatable {
        let problem: String

        static let unknownShape = Refusal(
            problem: "the kubeconfig has a shape that cannot be changed in place (an anchor or a tag, for example)")
    }

    /// One change of a kubeconfig.
    enum Change: Equatable {
        /// Adds an entry to a list (`clusters`, `contexts`, `users`), or replaces the one of its name.
        case set(JSON, list: String)
        case remove(String, list: String)
        /// Sets a top-level field that holds a text.
        case field(String, String)

        /// The top-level key whose value it changes.
        fileprivate var key: String {
            switch self {
            case .set(_, let key), .remove(_, let key), .field(let key, _): key
            }
        }
    }

    /// Applies the changes in order.
    ///
    /// - Throws: `Refusal` where the result would not read as the changed document; the text is unchanged then.
    mutating func edit(_ changes: [Change]) throws(Refusal) {
        var result = isPlaceholder ? "" : text
        var wanted = content.isNull ? JSON.object([:]) : content
        for change in changes {
            let key = change.key
            var entries = wanted[key].items
            var editor: any KubeconfigEditor = KubeconfigFlow(result, key: key) ?? KubeconfigLines(result, key: key)
            switch change {
            case .set(let entry, _):
                let index = Self.index(of: entry["name"], in: entries)
                try editor.set(entry, at: index, of: entries.count)
                if let index { entries[index] = entry } else { entries.append(entry) }
                wanted[key] = .array(entries)
            case .remove(let name, _):
                guard let index = Self.index(of: .string(name), in: entries) else { continue }
                try editor.remove(at: index, of: entries.count)
                entries.remove(at: index)
                wanted[key] = .array(entries)
            case .field(_, let value):
                try editor.set(value)
                wanted[key] = .string(value)
            }
            result = editor.text
        }
        // Whatever the text looked like: only a text that reads as the changed document counts.
        guard let read = try? JSON(yaml: result), read == wanted else { throw .unknownShape }
        text = result
        content = wanted
    }

    /// Whether the text stands for an empty document by a word that edited lines cannot follow.
    private var isPlaceholder: Bool {
        let word = text.split(whereSeparator: \.isWhitespace)
        return word == ["{}"] || word == ["null"]
    }

    private static func index(of name: JSON, in entries: [JSON]) -> Int? {
        entries.firstIndex { $0["name"] == name }
    }
}

/// Makes one change of the value of one top-level key in a kubeconfig's text, in one style of YAML.
protocol KubeconfigEditor {
    var text: String { get }

    /// Replaces the entry at `index` of a list of `count` entries; nil: adds one at the list's end.
    mutating func set(_ entry: JSON, at index: Int?, of count: Int) throws(KubeconfigText.Refusal)
    mutating func remove(at index: Int, of count: Int) throws(KubeconfigText.Refusal)
    /// Sets a value that is a text.
    mutating func set(_ value: String) throws(KubeconfigText.Refusal)
}
