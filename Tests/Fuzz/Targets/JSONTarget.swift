import KubernetesModel

extension FuzzTarget {
    /// What is decoded is encoded to text that decodes to the same.
    static let json = FuzzTarget("json") { input in
        _ = JSON.duplicates(in: input)
        guard let value = try? JSON(decoding: input) else { return }
        try requireSurvivesEncoding(value)
        try require(
            JSON(decoding: value.indented) == JSON(decoding: value.encoded()), "indented text is the same value")
    }
}

/// Equal as text: `1.0` is a double at first and, as it is written `1`, an integer from then on.
func requireSurvivesEncoding(_ value: JSON) throws {
    let text = value.encoded(sorted: true)
    do {
        let again = try JSON(decoding: text).encoded(sorted: true)
        try require(again == text, "encoded \(text.text), decoded and encoded again \(again.text)")
    } catch let error as JSONDecodingError {
        throw Violation(description: "encoded \(text.text.prefix(200)), which is refused: \(error)")
    }
}
