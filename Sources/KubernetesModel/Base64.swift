/// Base64 (RFC 4648, with padding), as `[]byte` fields are written.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var buffer: UInt32 = 0
        var filled = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            filled += 1
            guard filled == 3 else { continue }
            for shift in [18, 12, 6, 0] as [UInt32] { text.append(alphabet[Int(buffer >> shift & 63)]) }
            buffer = 0
            filled = 0
        }
        if filled == 1 {
            buffer <<= 16
            text += [alphabet[Int(buffer >> 18 & 63)], alphabet[Int(buffer >> 12 & 63)]]
            text += [UInt8(ascii: "="), UInt8(ascii: "=")]
        } else if filled == 2 {
            buffer <<= 8
            for shift in [18, 12, 6] as [UInt32] { text.append(alphabet[Int(buffer >> shift & 63)]) }
            text.append(UInt8(ascii: "="))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything that is no base64. Line breaks are skipped.
    public static func decode(_ text: String) -> [UInt8]? {
        guard invalidOffset(text) == nil else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 4 * 3)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in text.utf8 {
            let value = values[Int(byte)]
            guard value != 255 else { continue }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return bytes
    }

    /// The offset of the first byte that does not fit, nil for valid base64.
    package static func invalidOffset(_ text: String) -> Int? {
        var digits = 0
        var padding = 0
        var last = 0
        for (offset, byte) in text.utf8.enumerated() {
            last = offset
            if byte == 0x0A || byte == 0x0D { continue }
            if byte == UInt8(ascii: "=") {
                padding += 1
                guard padding <= 2, digits % 4 >= 2, digits % 4 + padding <= 4 else { return offset }
            } else {
                guard padding == 0, values[Int(byte)] != 255 else { return offset }
                digits += 1
            }
        }
        return (digits + padding) % 4 == 0 ? nil : last + 1
    }
}
