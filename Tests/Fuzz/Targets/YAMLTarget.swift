import KubernetesModel

extension FuzzTarget {
    /// What is read can be written, and is then read as the same.
    static let yaml = FuzzTarget("yaml") { input in
        guard let value = try? JSON(yaml: input.text) else { return }
        let text = try value.yaml
        let again = try JSON(yaml: text)
        try require(
            again.encoded(sorted: true) == value.encoded(sorted: true),
            "\(value) is written as\n\(text)\nwhich is read as \(again)")
    }
}
