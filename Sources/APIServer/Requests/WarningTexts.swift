/// The texts of a request's warnings, each once, and in all no longer than clients read headers: as upstream has it, too
/// many are shortened, and then left out.
struct WarningTexts {
    /// Lengths, in Unicode scalars: of all texts together, and of each where they are longer than that.
    static let mostScalars = 4096
    static let mostScalarsEach = 256

    private(set) var ordered: [String] = []
    private var known: Set<String> = []
    private var length = 0
    private var shortens = false

    mutating func add(_ text: String) {
        guard !shortens || length < Self.mostScalars, known.insert(text).inserted else { return }
        append(text)
        guard !shortens, length > Self.mostScalars else { return }
        shortens = true
        let all = ordered
        ordered = []
        length = 0
        for text in all { append(text) }
    }

    private mutating func append(_ text: String) {
        let kept = shortens ? String(text.unicodeScalars.prefix(Self.mostScalarsEach)) : text
        ordered.append(kept)
        length += kept.unicodeScalars.count
    }
}
