/// The texts of a request's warnings, without duplicates. As upstream does it, too many are truncated, and then dropped:
/// clients limit the size of headers.
struct WarningTexts {
    /// In Unicode scalars: of all texts together, and of each once they are longer than that.
    static let maxScalars = 4096
    static let maxScalarsEach = 256

    private(set) var ordered: [String] = []
    private var known: Set<String> = []
    private var length = 0
    private var shortens = false

    mutating func add(_ text: String) {
        guard !shortens || length < Self.maxScalars, known.insert(text).inserted else { return }
        append(text)
        guard !shortens, length > Self.maxScalars else { return }
        shortens = true
        let all = ordered
        ordered = []
        length = 0
        for text in all { append(text) }
    }

    private mutating func append(_ text: String) {
        let kept = shortens ? String(text.unicodeScalars.prefix(Self.maxScalarsEach)) : text
        ordered.append(kept)
        length += kept.unicodeScalars.count
    }
}
