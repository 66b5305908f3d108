/// Why some bytes are no JSON, and where.
public struct JSONDecodingError: Error, Sendable, CustomStringConvertible {
    public let description: String
    public let offset: Int
}

extension JSON {
    /// How deep values may be nested: whoever reads one goes as deep on the stack.
    package static let deepest = 512

    /// Decodes one JSON value (RFC 8259) that takes up all of `bytes`.
    ///
    /// - Throws: `JSONDecodingError` with the offset of the first byte that does not fit.
    public init(decoding bytes: some Sequence<UInt8>) throws(JSONDecodingError) {
        var hasDuplicates = false
        try self.init(decoding: bytes, hasDuplicates: &hasDuplicates)
    }

    /// As the other; reports whether some object has a member more than once, of which the last one counts.
    public init(decoding bytes: some Sequence<UInt8>, hasDuplicates: inout Bool) throws(JSONDecodingError) {
        let result: Result<(JSON, Bool), JSONDecodingError>? = bytes.withContiguousStorageIfAvailable { buffer in
            Result { () throws(JSONDecodingError) in try JSON.decode(buffer) }
        }
        if let result {
            (self, hasDuplicates) = try result.get()
        } else {
            let copy = Array(bytes)
            (self, hasDuplicates) = try copy.withUnsafeBufferPointer { buffer throws(JSONDecodingError) in
                try JSON.decode(buffer)
            }
        }
    }

    /// The paths of the members that some object has more than once: `spec.replicas`, `spec.containers[0].image`. Of
    /// very many the first ones.
    public static func duplicates(in bytes: some Sequence<UInt8>) -> [String] {
        Array(bytes).withUnsafeBufferPointer { buffer in
            var parser = Parser(bytes: buffer, tracksPath: true)
            _ = try? parser.value(depth: 0)
            return parser.duplicates.texts
        }
    }

    public init(decoding text: String) throws(JSONDecodingError) {
        try self.init(decoding: Array(text.utf8))
    }

    private static func decode(_ buffer: UnsafeBufferPointer<UInt8>) throws(JSONDecodingError) -> (JSON, Bool) {
        var parser = Parser(bytes: buffer)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == buffer.count else { throw parser.failure("unexpected data after the value") }
        return (value, parser.hasDuplicates)
    }
}

private struct Parser {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    static let deepest = JSON.deepest

    private(set) var hasDuplicates = false
    /// Their paths, where it keeps track of its own.
    private(set) var duplicates = FieldPaths()
    private let tracksPath: Bool
    private var path: [String] = []

    init(bytes: UnsafeBufferPointer<UInt8>, tracksPath: Bool = false) {
        self.bytes = bytes
        self.tracksPath = tracksPath
    }

    /// Parses the value at a step of the path.
    private mutating func value(at step: @autoclosure () -> String, depth: Int) throws(JSONDecodingError) -> JSON {
        guard tracksPath else { return try value(depth: depth) }
        path.append(step())
        defer { path.removeLast() }
        return try value(depth: depth)
    }

    private mutating func note(duplicate key: String) {
        hasDuplicates = true
        guard tracksPath, !duplicates.isFull else { return }
        duplicates.note(String((path.joined() + "." + key).dropFirst()))
    }

    func failure(_ what: String) -> JSONDecodingError {
        JSONDecodingError(description: "\(what) at offset \(position)", offset: position)
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    mutating func value(depth: Int) throws(JSONDecodingError) -> JSON {
        guard depth < Self.deepest else { throw failure("nesting deeper than \(Self.deepest)") }
        skipSpace()
        guard position < bytes.count else { throw failure("unexpected end of JSON input") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("unexpected byte \(bytes[position])")
        }
    }

    mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONDecodingError) -> JSON {
        let length = text.utf8CodeUnitCount
        guard position + length <= bytes.count else { throw failure("unexpected end of JSON input") }
        for index in 0..<length where bytes[position + index] != text.utf8Start[index] {
            throw failure("expected \(text)")
        }
        position += length
        return value
    }

    mutating func object(depth: Int) throws(JSONDecodingError) -> JSON {
        position += 1
        var members: [String: JSON] = [:]
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw failure("expected a member name")
            }
            let key = try string()
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            let member = try value(at: "." + key, depth: depth + 1)
            if members.updateValue(member, forKey: key) != nil { note(duplicate: key) }
            skipSpace()
            guard position < bytes.count else { throw failure("unexpected end of JSON input") }
            position += 1
            switch bytes[position - 1] {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return .object(members)
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    mutating func array(depth: Int) throws(JSONDecodingError) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value(at: "[\(elements.count)]", depth: depth + 1))
            skipSpace()
            guard position < bytes.count else { throw failure("unexpected end of JSON input") }
            position += 1
            switch bytes[position - 1] {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "]"): return .array(elements)
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    mutating func string() throws(JSONDecodingError) -> String {
        position += 1
        let start = position
        position = bytes.firstSpecial(from: start)
        guard position < bytes.count else { throw failure("unterminated string") }
        switch bytes[position] {
        case UInt8(ascii: "\""):
            let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
            position += 1
            return text
        case UInt8(ascii: "\\"): return try escapedString(from: start)
        default: throw failure("unescaped control character in a string")
        }
    }

    mutating func escapedString(from start: Int) throws(JSONDecodingError) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let end = bytes.firstSpecial(from: position)
            text.append(contentsOf: bytes[position..<end])
            position = end
            guard position < bytes.count else { break }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: throw failure("unescaped control character in a string")
            }
        }
        throw failure("unterminated string")
    }

    mutating func escape(into text: inout [UInt8]) throws(JSONDecodingError) {
        guard position < bytes.count else { throw failure("unterminated string") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try hex4())
            if (0xD800..<0xDC00).contains(code) {
                if position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u")
                {
                    position += 2
                    let low = UInt32(try hex4())
                    code = (0xDC00..<0xE000).contains(low) ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD
                } else {
                    code = 0xFFFD
                }
            }
            // A lone surrogate becomes U+FFFD, as in Go's decoder.
            text.append(contentsOf: String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
        default: throw failure("invalid escape")
        }
    }

    mutating func hex4() throws(JSONDecodingError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("unterminated string") }
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw failure("invalid \\u escape")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    mutating func number() throws(JSONDecodingError) -> JSON {
        let start = position
        var whole = true
        var value: Int64 = 0
        var overflow = false
        let negative = bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        let firstDigit = position
        loop: while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if whole {
                    let (product, over1) = value.multipliedReportingOverflow(by: 10)
                    let digit = Int64(byte - UInt8(ascii: "0"))
                    let (sum, over2) =
                        negative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
                    overflow = overflow || over1 || over2
                    value = sum
                }
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                whole = false
            default: break loop
            }
            position += 1
        }
        guard position > firstDigit, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[firstDigit]) else {
            throw failure("invalid number")
        }
        if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[firstDigit + 1])
        {
            throw failure("invalid number with a leading zero")
        }
        if whole && !overflow { return .integer(value) }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let double = Double(text), double.isFinite else { throw failure("invalid number") }
        return .double(double)
    }
}
