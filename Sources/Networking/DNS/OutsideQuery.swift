/// A query as name servers outside get it: what makes a difference to the answer, and nothing else of the client's. So
/// it is also what an answer is kept by.
struct OutsideQuery: Sendable, Hashable {
    /// With the id 0 and the name in lower case.
    let bytes: [UInt8]
    /// The size of the question in it.
    private let questionSize: Int

    private static let headerSize = 12
    /// What fits a datagram on any network (DNS flag day 2020).
    private static let datagramSize: UInt16 = 1232

    /// - Returns: nil for what is no query with one question.
    init?(_ query: [UInt8]) {
        var reader = DNSMessage.Reader(bytes: query, position: 4)
        guard let questions = reader.uint16(), questions == 1, let answers = reader.uint16(),
            let authority = reader.uint16(), let additional = reader.uint16(), let name = reader.name(),
            reader.skip(4)
        else { return nil }
        // A name that refers to another place would mean something else in an answer.
        questionSize = reader.position - Self.headerSize
        let plainSize = name.reduce(5) { $0 + 1 + $1.unicodeScalars.count }
        guard questionSize == plainSize else { return nil }
        // Recursion desired; data that is authentic, and data that is not checked, are wanted.
        var bytes: [UInt8] = [0, 0, query[2] & 0x01, query[3] & 0x30, 0, 1, 0, 0, 0, 0, 0, 0]
        let question = query[Self.headerSize..<reader.position]
        bytes += question.dropLast(4).map { (65...90).contains($0) ? $0 + 32 : $0 } + question.suffix(4)
        for _ in 0..<(Int(answers) + Int(authority) + Int(additional)) {
            guard let record = reader.record() else { return nil }
            guard record.type == DNSMessage.RecordType.opt else { continue }
            bytes[11] = 1
            bytes += [0, 0, UInt8(DNSMessage.RecordType.opt), UInt8(Self.datagramSize >> 8)]
            // Of its flags, the wish for signatures (RFC 3225).
            bytes += [UInt8(Self.datagramSize & 0xFF), 0, 0, query[record.ttl + 2] & 0x80, 0, 0, 0]
            break
        }
        self.bytes = bytes
    }

    /// An answer to this query with the id and the question of the client's own.
    func answer(_ answer: [UInt8], to query: [UInt8]) -> [UInt8] {
        let end = Self.headerSize + questionSize
        guard answer.count >= end, query.count >= end else { return answer }
        return Array(query[..<2]) + answer[2..<Self.headerSize] + query[Self.headerSize..<end] + answer[end...]
    }
}
