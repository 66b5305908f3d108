/// A number or a text, where the text is a percentage or the name of a port.
public enum IntOrString: Sendable, Hashable, CustomStringConvertible {
    case int(Int)
    case string(String)

    /// Nil for anything but a whole number or a text.
    public init?(_ json: JSON) {
        if let text = json.string {
            self = .string(text)
        } else if let number = json.int {
            self = .int(number)
        } else {
            return nil
        }
    }

    public var json: JSON {
        switch self {
        case .int(let value): JSON(value)
        case .string(let text): JSON(text)
        }
    }

    public var description: String {
        switch self {
        case .int(let value): String(value)
        case .string(let text): text
        }
    }

    /// The number before `%`, at most `Int32.max`; nil where this is no percentage.
    public var percent: Int? {
        guard case .string(let text) = self, text.last == "%", text.utf8.count > 1,
            text.utf8.dropLast().allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return min(Int(text.dropLast()) ?? .max, Int(Int32.max))
    }

    /// The number itself, or that share of `total`, within the 32 bits that the API has for it. Nil for a text that is
    /// no percentage.
    public func scaled(total: Int, roundUp: Bool) -> Int? {
        func bounded(_ value: Int) -> Int { Int(Int32(clamping: value)) }
        switch self {
        case .int(let value): return bounded(value)
        case .string:
            guard let percent else { return nil }
            let product = percent * bounded(total)
            return bounded(roundUp ? (product + 99) / 100 : product / 100)
        }
    }
}
