/// An IPv4 address.
public struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// In host byte order: 10.0.0.1 is 0x0a000001.
    public let value: UInt32

    public init(_ value: UInt32) { self.value = value }

    package init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        value = [first, second, third, fourth].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Parses four decimal numbers with dots; nil for anything else, also for a number with a leading zero, which some
    /// programs read as octal. The same texts are accepted by `inet_pton` and by Go's `netip.ParseAddr`.
    public init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                part.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            else { return nil }
            let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - UInt8(ascii: "0")) }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        self.value = value
    }

    /// Four bytes, in the order in which they are written and sent.
    package var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) } }

    public var description: String {
        "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }

    package func advanced(by count: Int) -> IPv4Address { IPv4Address(UInt32(Int(value) + count)) }

    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.value < right.value }
}

/// An IPv4 network, as `10.96.0.0/16`.
package struct IPv4Network: Sendable, Hashable, CustomStringConvertible {
    package let base: IPv4Address
    package let prefix: UInt8

    /// - Parameter base: the first address; the bits after the prefix are 0.
    package init(_ base: IPv4Address, prefix: UInt8) {
        self.base = base
        self.prefix = prefix
    }

    package var count: Int { 1 << (32 - Int(prefix)) }

    package func contains(_ address: IPv4Address) -> Bool {
        (address.value ^ base.value) >> UInt32(32 - Int(prefix)) == 0
    }

    package var description: String { "\(base)/\(prefix)" }
}
