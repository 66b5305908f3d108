@testable import Networking

extension FuzzTarget {
    /// A query's answer has its question and fits where it must; the other way it is an answer of another server.
    static let dns = FuzzTarget("dns", maxLength: 1024) { input in
        _ = DNSMessage.addresses(in: input)
        _ = KeptAnswer(input, received: .now)?.answer(at: .now + .seconds(5))
        if let outside = OutsideQuery(input) {
            try require(OutsideQuery(outside.bytes) == outside, "a query is another one when it is sent")
            try require(outside.answer(outside.bytes, to: input).count == outside.bytes.count, "another length")
        }
        try require(DNSMessage.truncated(input, to: 64).count <= max(64, 12 + 255 + 4), "nothing is left out")
        guard let query = try? DNSMessage(decoding: input) else { return }
        var answer = DNSMessage(answering: query)
        let name = query.question?.name ?? ["a"]
        answer.answers = (0..<20).map { DNSMessage.Record(name: name, ttl: 5, value: .a("10.96.0.\($0)")) }
        answer.additional = [
            DNSMessage.Record(name: name, ttl: 5, value: .srv(priority: 1, weight: 2, port: 3, target: name))
        ]
        for limit in [512, 1232, 65_535] {
            let bytes = answer.encoded(limit: limit)
            try require(bytes.count <= limit, "\(bytes.count) bytes where \(limit) are allowed")
            let again = try DNSMessage(decoding: bytes)
            try require(again.id == query.id && again.isResponse, "another message")
            try require(again.question == query.question, "\(again.question?.name ?? []) was not asked for")
        }
    }
}
