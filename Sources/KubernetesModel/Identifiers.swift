/// Made-up names: suffixes, UIDs and template hashes.
public enum Identifiers {
    /// Kubernetes' alphabet of names, without vowels and look-alikes, so that no words come about.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

    /// A random name suffix, as `generateName` adds it.
    public static func suffix(_ count: Int = 5) -> String {
        var generator = SystemRandomNumberGenerator()
        return String(decoding: (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }, as: UTF8.self)
    }

    /// A name that begins with `base`, cut so that the suffix fits into 63 bytes.
    public static func generatedName(_ base: String) -> String {
        String(decoding: base.utf8.prefix(58), as: UTF8.self) + suffix()
    }

    /// A random UUID (version 4) in lower case.
    public static func uuid() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = (generator.next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000
        let low = (generator.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            let word = index < 16 ? high : low
            text.append(digits[Int(word >> UInt64(60 - index % 16 * 4) & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// FNV-1a, 32 bits.
    public static func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return hash
    }

    /// A number's digits in the alphabet of names.
    public static func safeEncoded(_ number: UInt32) -> String {
        String(decoding: String(number).utf8.map { alphabet[Int($0) % alphabet.count] }, as: UTF8.self)
    }

    /// The `pod-template-hash` (or `controller-revision-hash`) of a template. `collisions` is the owner's
    /// `status.collisionCount`, which changes the hash where another template had the same.
    public static func templateHash(_ template: JSON, collisions: Int? = nil) -> String {
        var bytes = template.encoded(sorted: true)
        if let collisions { bytes.append(contentsOf: String(collisions).utf8) }
        return safeEncoded(fnv1a(bytes))
    }
}
