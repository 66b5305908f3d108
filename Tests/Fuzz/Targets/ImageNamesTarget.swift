@testable import ImageStore

extension FuzzTarget {
    /// A letter, then an image's reference, or a Dockerfile.
    static let imageNames = FuzzTarget("image-names", maxLength: 1024) { input in
        let text = Array(input.dropFirst()).text
        switch input.first {
        case UInt8(ascii: "r"):
            guard let reference = try? Reference(parsing: text) else { return }
            for name in [reference.description, reference.familiar] {
                try require(try Reference(parsing: name) == reference, "\(text) is \(reference), and is not \(name)")
            }
        case UInt8(ascii: "d"):
            guard let file = try? Dockerfile(parsing: text, file: "Dockerfile") else { return }
            let words = DockerfileWords(escape: file.escape) { $0 == "A" ? "a" : nil }
            for instruction in file.globalArguments + file.stages.flatMap(\.instructions) {
                _ = try? words.pairs(instruction.arguments)
                _ = DockerfileWords.jsonForm(instruction.arguments)
            }
        default: break
        }
    }
}
