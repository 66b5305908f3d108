/// Signs JSON Web Tokens (RFC 7519) with HMAC-SHA-256 (`HS256`).
struct TokenSigner {
    let secret: String
    /// Seconds.
    let lifetime: Int

    func token(subject: String, now: Int) -> String {
        let claims =
            "{\"iss\":\"auth.service\",\"sub\":\(quoted(subject)),\"iat\":\(now),\"exp\":\(now + lifetime)}"
        let signed = base64URL(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + "." + base64URL(Array(claims.utf8))
        return signed + "." + base64URL(SHA256.authenticate(Array(signed.utf8), key: Array(secret.utf8)))
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// RFC 4648, section 5, without padding.
    private func base64URL(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var result: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xffff
            count += 8
            while count >= 6 {
                count -= 6
                result.append(alphabet[bits >> count & 63])
            }
        }
        if count > 0 { result.append(alphabet[bits << (6 - count) & 63]) }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The `Authorization` header of basic authentication (RFC 7617).
struct BasicCredentials {
    let user: String
    let password: String

    init?(_ header: String) {
        guard header.lowercased().hasPrefix("basic ") else { return nil }
        var bytes: [UInt8] = []
        var bits = 0
        var count = 0
        for character in header.dropFirst(6).utf8 where character != UInt8(ascii: "=") && character != 32 {
            guard let value = Self.value(character) else { return nil }
            bits = (bits << 6 | value) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(bits >> count & 255))
            }
        }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        user = String(decoding: bytes[..<colon], as: UTF8.self)
        password = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
    }

    private static func value(_ character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    var difference = left.count ^ right.count
    for index in right.indices {
        difference |= Int(right[index] ^ (index < left.count ? left[index] : ~right[index]))
    }
    return difference == 0
}
