import KubernetesModel

/// How long a cluster is to live (`--ttl`), written as `90m`, `1h30m` or `2d`.
public struct Lifetime: Sendable, Hashable {
    public let seconds: Int

    private static let units: [(letter: Character, seconds: Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
    /// A year.
    private static let max = 365 * 86_400

    /// Nil for anything but numbers with units, the largest first, from a second to a year in all.
    public init?(_ text: String) {
        var (total, digits, units) = (0, "", Self.units[...])
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            guard let unit = units.firstIndex(where: { $0.letter == character }), digits.count < 9,
                let number = Int(digits)
            else { return nil }
            total += number * units[unit].seconds
            units = units[(unit + 1)...]
            digits = ""
        }
        guard digits.isEmpty, (1...Self.max).contains(total) else { return nil }
        seconds = total
    }

    public func end(from begin: Timestamp) -> Timestamp { Timestamp(seconds: begin.seconds + seconds) }
}
