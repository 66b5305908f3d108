import Crypto
import Glibc
import Linux

/// SHA-256 digests as OCI writes them, `sha256:` and 64 hexadecimal digits.
enum Digest {
    static func of(_ bytes: [UInt8]) -> String { text(SHA256.hash(data: bytes)) }

    static func ofFile(_ path: String) throws(ImageError) -> String {
        try ImageError.mapping(path: path) { () throws(SystemError) in try of(try Descriptor.open(path, O_RDONLY)) }
    }

    /// Of what is left to read of a file.
    static func of(_ file: borrowing Descriptor) throws(SystemError) -> String {
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { return text(hash.finalize()) }
            buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    /// The digits of a well-formed SHA-256 digest.
    static func hex(_ digest: String) -> Substring? {
        guard digest.hasPrefix("sha256:") else { return nil }
        let digits = digest.dropFirst(7)
        return digits.utf8.count == 64 && digits.utf8.allSatisfy(isLowerHex) ? digits : nil
    }

    static func isLowerHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    fileprivate static func text(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var bytes = Array("sha256:".utf8)
        for byte in digest {
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The digest of bytes that libarchive reads, which it hands over as they come.
final class StreamDigest {
    private var hash = SHA256()

    /// For `observe`, while this object lives.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static let observe: @convention(c) (UnsafeMutableRawPointer?, UnsafeRawPointer?, Int) -> Void = {
        context, bytes, count in
        guard let context else { return }
        Unmanaged<StreamDigest>.fromOpaque(context).takeUnretainedValue()
            .hash.update(bufferPointer: UnsafeRawBufferPointer(start: bytes, count: count))
    }

    func finish() -> String { Digest.text(hash.finalize()) }
}
