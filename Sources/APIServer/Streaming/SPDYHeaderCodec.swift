import CZlib

/// The header blocks of SPDY/3.1 (draft 3.1, section 2.6.10): name/value pairs, compressed by zlib with a fixed
/// dictionary. All blocks of a direction are one compressed stream, so they must be coded in the order in which they
/// are on the wire.
final class SPDYHeaderCodec {
    // zlib keeps the addresses of these, so they must not move.
    private let inflating = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let deflating = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    /// Far above any header block in use: limits what a small frame decompresses to.
    private static let largestBlock = 1 << 18

    init() {
        inflating.initialize(to: z_stream())
        deflating.initialize(to: z_stream())
        // Both fail only without memory, or with another zlib than was compiled against.
        precondition(czlib_inflate_init(inflating) == Z_OK && czlib_deflate_init(deflating) == Z_OK, "zlib fails")
        var dictionary = Self.dictionary
        precondition(deflateSetDictionary(deflating, &dictionary, UInt32(dictionary.count)) == Z_OK, "zlib fails")
    }

    deinit {
        inflateEnd(inflating)
        deflateEnd(deflating)
        inflating.deallocate()
        deflating.deallocate()
    }

    /// The pairs of a compressed block. Names are in lower case.
    func decode(_ block: [UInt8]) throws(SPDYError) -> [String: String] {
        let bytes = try inflate(block)
        var position = 0
        func number() throws(SPDYError) -> Int {
            guard position + 4 <= bytes.count else { throw SPDYError("a header block is cut off") }
            defer { position += 4 }
            return bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        func text() throws(SPDYError) -> String {
            let length = try number()
            guard length <= bytes.count - position else { throw SPDYError("a header block is cut off") }
            defer { position += length }
            return String(decoding: bytes[position..<position + length], as: UTF8.self)
        }
        var headers: [String: String] = [:]
        for _ in 0..<(try number()) {
            let name = try text().lowercased()
            headers[name] = try text()
        }
        return headers
    }

    func encode(_ headers: [String: String]) -> [UInt8] {
        var block = bigEndian(headers.count)
        for (name, value) in headers {
            block += bigEndian(name.utf8.count) + name.utf8 + bigEndian(value.utf8.count) + value.utf8
        }
        return deflate(&block)
    }

    private func inflate(_ block: [UInt8]) throws(SPDYError) -> [UInt8] {
        var input = block
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        let isSound = input.withUnsafeMutableBufferPointer { input in
            inflating.pointee.next_in = input.baseAddress
            inflating.pointee.avail_in = UInt32(input.count)
            while true {
                let result = piece.withUnsafeMutableBufferPointer { piece in
                    inflating.pointee.next_out = piece.baseAddress
                    inflating.pointee.avail_out = UInt32(piece.count)
                    return CZlib.inflate(inflating, Z_SYNC_FLUSH)
                }
                output += piece.dropLast(Int(inflating.pointee.avail_out))
                switch result {
                case Z_NEED_DICT:
                    var dictionary = Self.dictionary
                    guard inflateSetDictionary(inflating, &dictionary, UInt32(dictionary.count)) == Z_OK else {
                        return false
                    }
                case Z_OK where output.count <= Self.largestBlock: if inflating.pointee.avail_out > 0 { return true }
                // There was nothing left to do.
                case Z_BUF_ERROR: return true
                default: return false
                }
            }
        }
        guard isSound else { throw SPDYError("a header block cannot be decompressed") }
        return output
    }

    private func deflate(_ block: inout [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        block.withUnsafeMutableBufferPointer { input in
            deflating.pointee.next_in = input.baseAddress
            deflating.pointee.avail_in = UInt32(input.count)
            repeat {
                piece.withUnsafeMutableBufferPointer { piece in
                    deflating.pointee.next_out = piece.baseAddress
                    deflating.pointee.avail_out = UInt32(piece.count)
                    _ = CZlib.deflate(deflating, Z_SYNC_FLUSH)
                }
                output += piece.dropLast(Int(deflating.pointee.avail_out))
            } while deflating.pointee.avail_out == 0
        }
        return output
    }

    /// The dictionary that the specification gives; its Adler-32 is e3c6a7c2.
    static let dictionary: [UInt8] = {
        let words = """
            options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age \
            allow authorization cache-control connection content-base content-encoding content-language content-length \
            content-location content-md5 content-range content-type date etag expect expires from host if-match \
            if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
            proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding \
            upgrade user-agent vary via warning www-authenticate method get status
            """
        let names =
            words.split(separator: " ").map(String.init) + [
                "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin",
            ]
        let rest = """
            100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
            203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized\
            403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable\
            Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
            chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,\
            text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.
            """
        return names.flatMap { bigEndian($0.utf8.count) + Array($0.utf8) } + Array(rest.utf8)
    }()
}

/// Four bytes, the most significant first.
func bigEndian(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

/// A violation of SPDY by the client.
struct SPDYError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
