#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A moment, as the API writes it: RFC 3339 in UTC.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int
    public let nanoseconds: Int

    public init(seconds: Int, nanoseconds: Int = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The present, from the system's wall clock.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    /// Parses `2006-01-02T15:04:05Z`, with up to nine decimals of a second and an offset. Nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        var nanoseconds = 0
        if bytes[position] == UInt8(ascii: ".") {
            position += 1
            var scale = 100_000_000
            while position < bytes.count, let digit = number(position..<position + 1) {
                nanoseconds += digit * scale
                scale /= 10
                position += 1
            }
        }
        guard position < bytes.count else { return nil }
        var offset = 0
        switch bytes[position] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard position + 1 == bytes.count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard position + 6 == bytes.count, let hours = number(position + 1..<position + 3),
                let minutes = number(position + 4..<position + 6)
            else { return nil }
            offset = (hours * 60 + minutes) * 60 * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        // Days from civil, after Howard Hinnant's chrono paper.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        self.init(seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanoseconds: nanoseconds)
    }

    /// Whole seconds, as in `metadata.creationTimestamp`: `2006-01-02T15:04:05Z`.
    public var description: String { text(decimals: 0) }
    /// Microseconds, as in `MicroTime` fields: `2006-01-02T15:04:05.000000Z`.
    public var micro: String { text(decimals: 6) }
    /// Nanoseconds, as in container logs.
    public var nano: String { text(decimals: 9) }

    /// Seconds from `earlier` to this moment.
    public func since(_ earlier: Timestamp) -> Double {
        Double(seconds - earlier.seconds) + Double(nanoseconds - earlier.nanoseconds) / 1e9
    }

    /// The first and the last moment that the API can write.
    public static let earliest = Timestamp(seconds: -62_167_219_200)
    public static let latest = Timestamp(seconds: 253_402_300_799, nanoseconds: 999_999_999)

    /// This moment moved by some seconds; not beyond what the API can write, however many they are.
    public func advanced(by offset: Double) -> Timestamp {
        // Several times what lies between those two.
        let offset = min(max(offset, -1e12), 1e12)
        let whole = offset.rounded(.down)
        let fraction = nanoseconds + Int(((offset - whole) * 1e9).rounded())
        let moved = Timestamp(
            seconds: seconds + Int(whole) + fraction / 1_000_000_000, nanoseconds: fraction % 1_000_000_000)
        return min(max(moved, .earliest), .latest)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    private func text(decimals: Int) -> String {
        var time = min(max(self, .earliest), .latest).seconds
        var parts = tm()
        gmtime_r(&time, &parts)
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        var text = padded(parts.tm_year + 1900, 4) + "-" + padded(parts.tm_mon + 1, 2) + "-" + padded(parts.tm_mday, 2)
        text += "T" + padded(parts.tm_hour, 2) + ":" + padded(parts.tm_min, 2) + ":" + padded(parts.tm_sec, 2)
        if decimals > 0 { text += "." + String(padded(nanoseconds, 9).prefix(decimals)) }
        return text + "Z"
    }
}
