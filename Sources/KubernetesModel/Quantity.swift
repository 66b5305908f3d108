/// An amount of a resource: `500m`, `64Mi`, `1e3`, exactly as Kubernetes' `resource.Quantity`.
///
/// The amount is a decimal fixed-point number with nine decimals, which are all that Kubernetes keeps (finer amounts
/// are rounded up, away from zero).
public struct Quantity: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The family of suffixes that the canonical text uses.
    public enum Format: Sendable, Hashable {
        /// `Ki`, `Mi`, `Gi`, ...
        case binarySI
        /// `n`, `u`, `m`, none, `k`, `M`, ...
        case decimalSI
        /// `e3`, `e6`, ...
        case decimalExponent
    }

    /// The amount in billionths.
    private let nano: Int128
    public let format: Format

    private static let unit: Int128 = 1_000_000_000
    private static let largest: Int128 = Int128(Int64.max) * 1_000_000_000

    private init(nano: Int128, format: Format) {
        self.nano = min(max(nano, -Self.largest), Self.largest)
        self.format = format
    }

    public static let zero = Quantity(nano: 0, format: .decimalSI)

    public init(_ value: Int, format: Format = .decimalSI) {
        self.init(nano: Int128(value) * Self.unit, format: format)
    }

    public init(milli value: Int, format: Format = .decimalSI) {
        self.init(nano: Int128(value) * 1_000_000, format: format)
    }

    /// The message of the API server where a text is no quantity.
    public static let syntax =
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

    /// A quantity of a JSON text or number; nil where it is none.
    public init?(_ json: JSON) {
        switch json {
        case .string(let text): self.init(text)
        case .integer(let value): self.init(nano: Int128(value) * Self.unit, format: .decimalSI)
        case .double(let value): self.init("\(value)")
        default: return nil
        }
    }

    /// Parses a sign, digits with at most one point, and a suffix or a decimal exponent.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        var negative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            position = 1
        }
        // Digits beyond what the range or the nine decimals can hold only matter for rounding up.
        var mantissa: Int128 = 0
        var decimals = 0
        var digits = 0
        var point = false
        var inexact = false
        var dropped = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "."), !point {
                point = true
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                digits += 1
                if mantissa < 1_000_000_000_000_000_000_000_000_000 {
                    mantissa = mantissa * 10 + Int128(byte - UInt8(ascii: "0"))
                    if point { decimals += 1 }
                } else {
                    inexact = inexact || byte != UInt8(ascii: "0")
                    if !point { dropped += 1 }
                }
            } else {
                break
            }
            position += 1
        }
        guard digits > 0, let suffix = Suffix(bytes[position...]) else { return nil }
        var power = 9 - decimals + dropped
        var factor: Int128 = 1
        switch suffix {
        case .binary(let shift):
            factor = Int128(1) << Int128(shift)
            format = .binarySI
        case .decimal(let exponent):
            power += exponent
            format = .decimalSI
        case .exponent(let exponent):
            power += exponent
            format = .decimalExponent
        }
        var amount: Int128
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
        amount = overflow ? Self.largest : product
        if overflow { power = max(power, 0) }
        while power > 0, amount != 0 {
            guard amount < Self.largest else { break }
            amount *= 10
            power -= 1
        }
        while power < 0, amount != 0 {
            inexact = inexact || amount % 10 != 0
            amount /= 10
            power += 1
        }
        if inexact { amount += 1 }
        amount = min(amount, Self.largest)
        nano = negative ? -amount : amount
    }

    private enum Suffix {
        case binary(Int)
        case decimal(Int)
        case exponent(Int)

        init?(_ bytes: ArraySlice<UInt8>) {
            switch String(decoding: bytes, as: UTF8.self) {
            case "": self = .decimal(0)
            case "n": self = .decimal(-9)
            case "u": self = .decimal(-6)
            case "m": self = .decimal(-3)
            case "k": self = .decimal(3)
            case "M": self = .decimal(6)
            case "G": self = .decimal(9)
            case "T": self = .decimal(12)
            case "P": self = .decimal(15)
            case "E": self = .decimal(18)
            case "Ki": self = .binary(10)
            case "Mi": self = .binary(20)
            case "Gi": self = .binary(30)
            case "Ti": self = .binary(40)
            case "Pi": self = .binary(50)
            case "Ei": self = .binary(60)
            case let text:
                guard let first = text.utf8.first, first == UInt8(ascii: "e") || first == UInt8(ascii: "E"),
                    let exponent = Int(text.dropFirst()), (-1000...1000).contains(exponent)
                else { return nil }
                self = .exponent(exponent)
            }
        }
    }

    /// The amount in whole units, rounded up.
    public var value: Int { Self.roundedUp(nano, by: Self.unit) }
    /// The amount in thousandths, rounded up.
    public var milliValue: Int { Self.roundedUp(nano, by: 1_000_000) }
    /// How many times another amount goes into this one, rounded up. The other must not be zero.
    public func quotient(roundedUpBy divisor: Quantity) -> Int { Self.roundedUp(nano, by: divisor.nano) }
    public var double: Double { Double(nano) / 1e9 }
    public var isZero: Bool { nano == 0 }
    public var isNegative: Bool { nano < 0 }
    /// Whether the amount is a number of whole units.
    public var isWhole: Bool { nano % Self.unit == 0 }

    private static func roundedUp(_ amount: Int128, by divisor: Int128) -> Int {
        let (quotient, rest) = amount.quotientAndRemainder(dividingBy: divisor)
        return Int(clamping: rest > 0 ? quotient + 1 : quotient)
    }

    /// The canonical text: the largest suffix that leaves a whole number, at most three digits' worth of fraction.
    public var description: String {
        guard nano != 0 else { return "0" }
        // Below 1024, and for fractions, Kubernetes falls back to decimal suffixes.
        if format == .binarySI, isWhole, abs(nano) >= 1024 * Self.unit {
            var amount = nano / Self.unit
            var index = 0
            while amount % 1024 == 0, index < Self.binarySuffixes.count - 1 {
                amount /= 1024
                index += 1
            }
            return "\(amount)\(Self.binarySuffixes[index])"
        }
        var amount = nano
        var exponent = -9
        while amount % 1000 == 0, exponent < 18 {
            amount /= 1000
            exponent += 3
        }
        if format == .decimalExponent { return exponent == 0 ? "\(amount)" : "\(amount)e\(exponent)" }
        return "\(amount)\(Self.decimalSuffixes[exponent / 3 + 3])"
    }

    private static let binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
    private static let decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]

    /// The canonical text as JSON.
    public var json: JSON { .string(description) }

    public static func == (left: Quantity, right: Quantity) -> Bool { left.nano == right.nano }
    public func hash(into hasher: inout Hasher) { hasher.combine(nano) }
    public static func < (left: Quantity, right: Quantity) -> Bool { left.nano < right.nano }

    /// The sum, in the format of the first summand that is not zero.
    public static func + (left: Quantity, right: Quantity) -> Quantity {
        Quantity(nano: left.nano + right.nano, format: left.isZero ? right.format : left.format)
    }
    public static func - (left: Quantity, right: Quantity) -> Quantity {
        Quantity(nano: left.nano - right.nano, format: left.isZero ? right.format : left.format)
    }
    public static func += (left: inout Quantity, right: Quantity) { left = left + right }
    public static func -= (left: inout Quantity, right: Quantity) { left = left - right }
    public static prefix func - (quantity: Quantity) -> Quantity {
        Quantity(nano: -quantity.nano, format: quantity.format)
    }
}

/// Amounts by resource name, as in `resources.requests` and `status.allocatable`.
public typealias ResourceList = [String: Quantity]

extension JSON {
    /// The members of a resource list; those that are no quantity are left out.
    public var resourceList: ResourceList { object?.compactMapValues { Quantity($0) } ?? [:] }

    public init(_ resources: ResourceList) { self = .object(resources.mapValues(\.json)) }
}
