/// A frame of SPDY/3.1 (draft 3.1, section 2.2), its header block still compressed.
enum SPDYFrame: Equatable {
    case synStream(id: Int, block: [UInt8], fin: Bool)
    case synReply(id: Int, block: [UInt8])
    case reset(id: Int, status: Int)
    case headers(id: Int, block: [UInt8])
    case ping(id: Int)
    case goAway(last: Int)
    case data(id: Int, bytes: [UInt8], fin: Bool)
    /// `SETTINGS`, `WINDOW_UPDATE` and frames of later versions, which are ignored. Kubernetes' streams have no flow
    /// control but TCP's.
    case other

    private static let version: UInt8 = 3
    private static let fin: UInt8 = 1

    var encoded: [UInt8] {
        switch self {
        case .synStream(let id, let block, let fin):
            Self.control(1, flags: fin ? Self.fin : 0, bigEndian(id) + bigEndian(0) + [0, 0] + block)
        case .synReply(let id, let block): Self.control(2, bigEndian(id) + block)
        case .reset(let id, let status): Self.control(3, bigEndian(id) + bigEndian(status))
        case .ping(let id): Self.control(6, bigEndian(id))
        case .goAway(let last): Self.control(7, bigEndian(last) + bigEndian(0))
        case .headers(let id, let block): Self.control(8, bigEndian(id) + block)
        case .data(let id, let bytes, let fin):
            bigEndian(id) + [fin ? Self.fin : 0] + bigEndian(bytes.count).dropFirst() + bytes
        case .other: []
        }
    }

    private static func control(_ type: UInt8, flags: UInt8 = 0, _ body: [UInt8]) -> [UInt8] {
        [0x80, version, 0, type, flags] + bigEndian(body.count).dropFirst() + body
    }

    /// - Parameter header: eight bytes.
    fileprivate init(header: ArraySlice<UInt8>, body: [UInt8]) throws(SPDYError) {
        let header = Array(header)
        func number(_ bytes: ArraySlice<UInt8>) throws(SPDYError) -> Int {
            guard bytes.count == 4 else { throw SPDYError("a frame is too short") }
            // The first bit is reserved where this is a stream's number.
            return bytes.reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
        }
        let fin = header[4] & Self.fin != 0
        guard header[0] & 0x80 != 0 else {
            self = .data(id: try number(header[..<4]), bytes: body, fin: fin)
            return
        }
        guard header[1] == Self.version, header[0] == 0x80 else { throw SPDYError("only SPDY/3.1 is spoken here") }
        switch header[3] {
        case 1:
            guard body.count >= 10 else { throw SPDYError("a frame is too short") }
            self = .synStream(id: try number(body.prefix(4)), block: Array(body[10...]), fin: fin)
        case 2: self = .synReply(id: try number(body.prefix(4)), block: Array(body.dropFirst(4)))
        case 3: self = .reset(id: try number(body.prefix(4)), status: try number(body.dropFirst(4)))
        case 6: self = .ping(id: try number(body.prefix(4)))
        case 7: self = .goAway(last: try number(body.prefix(4)))
        case 8: self = .headers(id: try number(body.prefix(4)), block: Array(body.dropFirst(4)))
        default: self = .other
        }
    }

    /// Cuts a stream of bytes into frames.
    struct Parser {
        private static let headerLength = 8
        private var bytes: [UInt8] = []

        mutating func feed(_ more: some Sequence<UInt8>) throws(SPDYError) -> [SPDYFrame] {
            bytes.append(contentsOf: more)
            var frames: [SPDYFrame] = []
            var position = 0
            while bytes.count - position >= Self.headerLength {
                let start = position + Self.headerLength
                let length = bytes[position + 5..<start].reduce(0) { $0 << 8 | Int($1) }
                guard bytes.count >= start + length else { break }
                let body = Array(bytes[start..<start + length])
                frames.append(try SPDYFrame(header: bytes[position..<start], body: body))
                position = start + length
            }
            bytes.removeFirst(position)
            return frames
        }
    }
}
