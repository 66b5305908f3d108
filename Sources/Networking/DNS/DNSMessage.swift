import Addresses

/// A DNS message (RFC 1035), as far as a name server for Services needs one.
struct DNSMessage: Sendable, Hashable {
    enum RecordType {
        static let a: UInt16 = 1
        static let cname: UInt16 = 5
        static let soa: UInt16 = 6
        static let ptr: UInt16 = 12
        static let txt: UInt16 = 16
        static let aaaa: UInt16 = 28
        static let srv: UInt16 = 33
        static let opt: UInt16 = 41
        static let any: UInt16 = 255
    }

    enum ResponseCode: UInt8, Sendable {
        case noError = 0
        case formatError = 1
        case serverFailure = 2
        case nameError = 3
        case notImplemented = 4
        case refused = 5
    }

    struct Question: Sendable, Hashable {
        /// The labels, in lower case, without the root. A byte that is no ASCII is the scalar of its number, so that an
        /// answer's question has the bytes of the query's.
        var name: [String]
        var type: UInt16
    }

    struct Record: Sendable, Hashable {
        enum Value: Sendable, Hashable {
            case a(String)
            case cname([String])
            case ptr([String])
            case srv(priority: UInt16, weight: UInt16, port: UInt16, target: [String])
            case txt(String)
            case soa(primary: [String], mailbox: [String], serial: UInt32, minimum: UInt32)
        }

        var name: [String]
        var ttl: UInt32
        var value: Value

        var type: UInt16 {
            switch value {
            case .a: RecordType.a
            case .cname: RecordType.cname
            case .ptr: RecordType.ptr
            case .srv: RecordType.srv
            case .txt: RecordType.txt
            case .soa: RecordType.soa
            }
        }
    }

    var id: UInt16
    var opcode: UInt8 = 0
    var isResponse = false
    var isAuthoritative = false
    var isTruncated = false
    var recursionDesired = false
    var recursionAvailable = false
    var code = ResponseCode.noError
    var question: Question?
    var answers: [Record] = []
    var authority: [Record] = []
    var additional: [Record] = []
    /// The UDP payload size that the EDNS record names (RFC 6891); nil without one.
    var ednsSize: Int?

    /// The answer to `query` with nothing in it yet.
    init(answering query: DNSMessage, code: ResponseCode = .noError) {
        id = query.id
        opcode = query.opcode
        isResponse = true
        recursionDesired = query.recursionDesired
        recursionAvailable = true
        question = query.question
        ednsSize = query.ednsSize == nil ? nil : 1232
        self.code = code
    }
}

/// Why some bytes are no query that can be answered.
struct DNSFormatError: Error, Sendable, Hashable {
    /// The query's id, where there was one: the answer is then FORMERR.
    let id: UInt16?
}

extension DNSMessage {
    /// Decodes a query: its header, its one question and its EDNS record. Other records are passed over.
    init(decoding bytes: some Collection<UInt8>) throws(DNSFormatError) {
        let bytes = Array(bytes)
        guard bytes.count >= 2 else { throw DNSFormatError(id: nil) }
        let id = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        var reader = Reader(bytes: bytes, position: 2)
        guard let flags = reader.uint16(), let questions = reader.uint16(), let answers = reader.uint16(),
            let authority = reader.uint16(), let additional = reader.uint16()
        else { throw DNSFormatError(id: id) }
        self.id = id
        // As other servers have it: a message has one question, or none where it is an answer.
        guard questions <= 1 else { throw DNSFormatError(id: id) }
        isResponse = flags & 0x8000 != 0
        opcode = UInt8(flags >> 11 & 0xF)
        recursionDesired = flags & 0x0100 != 0
        for index in 0..<questions {
            guard let name = reader.name(), let type = reader.uint16(), reader.uint16() != nil else {
                throw DNSFormatError(id: id)
            }
            if index == 0 { question = Question(name: name, type: type) }
        }
        for _ in 0..<(Int(answers) + Int(authority) + Int(additional)) {
            guard reader.name() != nil, let type = reader.uint16(), let size = reader.uint16(),
                reader.skip(4), let length = reader.uint16(), reader.skip(Int(length))
            else { throw DNSFormatError(id: id) }
            if type == RecordType.opt { ednsSize = max(512, Int(size)) }
        }
    }

    /// The message's bytes, of at most `limit`: what does not fit is left out and the message marked as truncated.
    func encoded(limit: Int = 65_535) -> [UInt8] {
        var writer = Writer()
        writer.uint16(id)
        writer.uint16(flags(truncated: isTruncated))
        writer.uint16(question == nil ? 0 : 1)
        let counts = writer.bytes.count
        for _ in 0..<3 { writer.uint16(0) }
        if let question {
            writer.name(question.name)
            writer.uint16(question.type)
            writer.uint16(1)
        }
        let room = limit - (ednsSize == nil ? 0 : 11)
        var truncated = false
        func section(_ records: [Record], at position: Int) {
            var written: UInt16 = 0
            for record in records where !truncated {
                let mark = writer.bytes.count
                writer.record(record)
                if writer.bytes.count > room {
                    writer.bytes.removeSubrange(mark...)
                    truncated = true
                } else {
                    written += 1
                }
            }
            writer.set(written, at: position)
        }
        section(answers, at: counts)
        section(authority, at: counts + 2)
        // Additional records are a courtesy; leaving them out is no truncation.
        let mustFit = truncated
        section(additional, at: counts + 4)
        if mustFit { writer.set(flags(truncated: true), at: 2) }
        if let ednsSize {
            writer.bytes += [0]
            writer.uint16(RecordType.opt)
            writer.uint16(UInt16(ednsSize))
            writer.uint32(0)
            writer.uint16(0)
            let additionalCount = UInt16(writer.bytes[counts + 4]) << 8 | UInt16(writer.bytes[counts + 5])
            writer.set(additionalCount + 1, at: counts + 4)
        }
        return writer.bytes
    }

    private func flags(truncated: Bool) -> UInt16 {
        var flags = UInt16(opcode) << 11 | UInt16(code.rawValue)
        if isResponse { flags |= 0x8000 }
        if isAuthoritative { flags |= 0x0400 }
        if truncated { flags |= 0x0200 }
        if recursionDesired { flags |= 0x0100 }
        if recursionAvailable { flags |= 0x0080 }
        return flags
    }

    /// A message with nothing in it yet.
    init(id: UInt16) { self.id = id }

    /// The address records among the answers of an encoded message; none where it is damaged.
    static func addresses(in bytes: [UInt8]) -> [Record] {
        var reader = Reader(bytes: bytes, position: 4)
        guard let questions = reader.uint16(), let answers = reader.uint16(), reader.skip(4) else { return [] }
        for _ in 0..<questions { guard reader.name() != nil, reader.skip(4) else { return [] } }
        var found: [Record] = []
        for _ in 0..<answers {
            guard let name = reader.name(), let type = reader.uint16(), reader.skip(2), let high = reader.uint16(),
                let low = reader.uint16(), let length = reader.uint16(), reader.position + Int(length) <= bytes.count
            else { return found }
            let data = bytes[reader.position..<(reader.position + Int(length))]
            if type == RecordType.a, length == 4 {
                let address = data.map(String.init).joined(separator: ".")
                found.append(Record(name: name, ttl: UInt32(high) << 16 | UInt32(low), value: .a(address)))
            }
            _ = reader.skip(Int(length))
        }
        return found
    }

    /// A question with its class, as it was sent.
    struct RawQuestion: Sendable, Hashable {
        let name: [String]
        let type: UInt16
        let recordClass: UInt16
    }

    /// The one question of an encoded message; nil where it has another number of them, or is damaged.
    static func firstQuestion(of bytes: [UInt8]) -> RawQuestion? {
        var reader = Reader(bytes: bytes, position: 4)
        guard reader.uint16() == 1, reader.skip(6), let name = reader.name(), let type = reader.uint16(),
            let recordClass = reader.uint16()
        else { return nil }
        return RawQuestion(name: name, type: type, recordClass: recordClass)
    }

    /// Whether an answer lacks what did not fit the datagram.
    static func isTruncated(_ bytes: [UInt8]) -> Bool { bytes.count >= 12 && bytes[2] & 0x02 != 0 }

    /// An encoded message of at most `limit` bytes: one that is longer loses all its records and says so, whereupon the
    /// client asks again by TCP.
    static func truncated(_ bytes: [UInt8], to limit: Int) -> [UInt8] {
        guard bytes.count > limit, bytes.count >= 12 else { return bytes }
        var reader = Reader(bytes: bytes, position: 12)
        let isReadable = reader.name() != nil && reader.skip(4)
        var head = Array(bytes[..<(isReadable ? reader.position : 12)])
        if !isReadable { head[5] = 0 }
        head[2] |= 0x02
        head.replaceSubrange(6..<12, with: [0, 0, 0, 0, 0, 0])
        return head
    }

    /// Whether a message is an answer to a query.
    static func isAnswer(_ bytes: [UInt8], id: UInt16, to question: RawQuestion) -> Bool {
        guard bytes.count >= 12, UInt16(bytes[0]) << 8 | UInt16(bytes[1]) == id, bytes[2] & 0x80 != 0 else {
            return false
        }
        return firstQuestion(of: bytes) == question
    }
}
