import Synchronization
import TestSupport
import Testing

@testable import Networking

/// What of other servers' answers is kept, for whom, and how long.
@Suite(.timeLimit(.minutes(1))) struct DNSCacheTests {
    static func query(_ name: String, id: UInt16 = 7, type: UInt16 = DNSMessage.RecordType.a) -> [UInt8] {
        var message = DNSMessage(id: id)
        message.recursionDesired = true
        message.question = DNSMessage.Question(name: name.split(separator: ".").map(String.init), type: type)
        return message.encoded()
    }

    /// An answer with records of these times to live.
    static func answer(
        _ query: [UInt8], ttls: [UInt32] = [], code: DNSMessage.ResponseCode = .noError,
        negative: (UInt32, UInt32)? = nil
    ) throws -> [UInt8] {
        let decoded = try DNSMessage(decoding: query)
        let name = decoded.question?.name ?? []
        var message = DNSMessage(answering: decoded, code: code)
        message.answers = ttls.map { DNSMessage.Record(name: name, ttl: $0, value: .a("192.0.2.1")) }
        if let (ttl, minimum) = negative {
            message.authority = [
                DNSMessage.Record(
                    name: name, ttl: ttl,
                    value: .soa(primary: ["ns"], mailbox: ["root"], serial: 1, minimum: minimum))
            ]
        }
        return message.encoded()
    }

    /// Answers as a test says, and counts how often it is asked.
    private final class Upstream: DNSUpstream {
        let asked = Mutex<[[UInt8]]>([])
        private let body: @Sendable ([UInt8]) async throws(DNSUpstreamFailure) -> [UInt8]

        init(_ body: @escaping @Sendable ([UInt8]) async throws(DNSUpstreamFailure) -> [UInt8]) { self.body = body }

        func resolve(_ query: [UInt8]) async throws(DNSUpstreamFailure) -> [UInt8] {
            asked.withLock { $0.append(query) }
            return try await body(query)
        }

        var count: Int { asked.withLock { $0.count } }
    }

    private final class Time: Sendable {
        private let value = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { value.withLock { $0 } }
        func pass(_ duration: Duration) { value.withLock { $0 += duration } }
    }

    @Test(
        arguments: [
            ("the shortest of its records", [300, 60, 90], .noError, nil, 60),
            ("no longer than is believed", [864_000], .noError, nil, 3600),
            ("not at all where a record says so", [300, 0], .noError, nil, nil),
            ("no such name, by its authority", [], .nameError, (20, 900), 20),
            ("no such record, by its authority", [], .noError, (900, 10), 10),
            ("what there is not for half a minute", [], .nameError, (900, 900), 30),
            ("what there is not, without an authority", [], .nameError, nil, nil),
            ("a server's failure", [], .serverFailure, (20, 20), nil),
            ("a refusal", [300], .refused, nil, nil),
        ] as [(String, [UInt32], DNSMessage.ResponseCode, (UInt32, UInt32)?, Int?)])
    func anAnswerIsKept(
        _ what: String, _ ttls: [UInt32], _ code: DNSMessage.ResponseCode, _ negative: (UInt32, UInt32)?,
        _ seconds: Int?
    ) throws {
        let bytes = try Self.answer(Self.query("example.com"), ttls: ttls, code: code, negative: negative)
        let now = ContinuousClock.now
        let kept = KeptAnswer(bytes, received: now)
        #expect((kept != nil) == (seconds != nil), "\(what)")
        guard let kept, let seconds else { return }
        #expect(kept.answer(at: now + .seconds(seconds) - .milliseconds(1)) != nil, "\(what)")
        #expect(kept.answer(at: now + .seconds(seconds)) == nil, "\(what)")
    }

    @Test func timesToLiveGoDown() throws {
        let now = ContinuousClock.now
        let bytes = try Self.answer(Self.query("example.com"), ttls: [300, 60])
        let kept = try #require(KeptAnswer(bytes, received: now))
        let later = try #require(kept.answer(at: now + .seconds(20)))
        #expect(DNSMessage.addresses(in: later).map(\.ttl) == [280, 40])
        #expect(later.count == bytes.count)
    }

    @Test func aTruncatedAnswerIsNotKept() throws {
        var bytes = try Self.answer(Self.query("example.com"), ttls: [300])
        bytes[2] |= 0x02
        #expect(KeptAnswer(bytes, received: .now) == nil)
    }

    @Test func asksOnceAndAnswersWithTheClientsOwnIdAndName() async throws {
        let upstream = Upstream { query in (try? Self.answer(query, ttls: [300])) ?? [] }
        let cache = DNSCache(upstream)
        for (id, name) in [(1, "example.com"), (2, "EXAMPLE.com"), (3, "eXaMpLe.CoM")] {
            let query = Self.query(name, id: UInt16(id))
            let answer = try await cache.resolve(query)
            #expect(Array(answer[..<2]) == [0, UInt8(id)])
            // Some resolvers take an answer for a forged one where it has not their own letters.
            #expect(answer[12..<query.count] == query[12...])
            #expect(DNSMessage.addresses(in: answer).map(\.value) == [.a("192.0.2.1")])
        }
        #expect(upstream.count == 1)
        _ = try await cache.resolve(Self.query("example.com", type: DNSMessage.RecordType.aaaa))
        _ = try await cache.resolve(Self.query("example.org"))
        #expect(upstream.count == 3)
    }

    @Test func asksAgainOnceTheTimeIsOver() async throws {
        let time = Time()
        let upstream = Upstream { query in (try? Self.answer(query, ttls: [60])) ?? [] }
        let cache = DNSCache(upstream) { time.now }
        for (seconds, count) in [(0, 1), (59, 1), (1, 2), (30, 2)] {
            time.pass(.seconds(seconds))
            _ = try await cache.resolve(Self.query("example.com"))
            #expect(upstream.count == count)
        }
    }

    /// A hundred pods that start together ask for the same name at the same time.
    @Test func manyWhoAskAtOnceAreOneQuery() async throws {
        let gate = AsyncStream.makeStream(of: Void.self)
        let upstream = Upstream { query in
            for await _ in gate.stream {}
            return (try? Self.answer(query, ttls: [0])) ?? []
        }
        let cache = DNSCache(upstream)
        let ids = try await withThrowingTaskGroup(of: UInt8.self) { group in
            for id in 0..<100 {
                group.addTask { try await cache.resolve(Self.query("example.com", id: UInt16(id)))[1] }
            }
            try await eventually("one of them asks") { upstream.count == 1 }
            gate.continuation.finish()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(ids).count == 100)
        // Those that came after the answer, which may not be kept, ask for themselves.
        #expect(upstream.count < 100)
    }

    @Test func aFailureIsEachOnesOwnAndNotKept() async throws {
        let upstream = Upstream { _ throws(DNSUpstreamFailure) in throw .unanswered }
        let cache = DNSCache(upstream)
        for count in 1...2 {
            await #expect(throws: DNSUpstreamFailure.unanswered) { try await cache.resolve(Self.query("example.com")) }
            #expect(upstream.count == count)
        }
        await #expect(throws: DNSUpstreamFailure.unanswered) { try await cache.resolve([1, 2, 3]) }
        #expect(upstream.count == 2, "what is no query is asked of nobody")
    }

    /// However many names a pod asks for, what is kept is bounded, and what is asked for often stays.
    @Test func whatIsKeptIsBounded() async throws {
        let upstream = Upstream { query in (try? Self.answer(query, ttls: [300])) ?? [] }
        let cache = DNSCache(upstream)
        for number in 0..<20_000 {
            _ = try await cache.resolve(Self.query("n\(number).example.com"))
            if number % 1000 == 0 { _ = try await cache.resolve(Self.query("often.example.com")) }
        }
        #expect(upstream.count == 20_001, "what is asked for often is asked for outside once")
        let before = upstream.count
        _ = try await cache.resolve(Self.query("n0.example.com"))
        #expect(upstream.count == before + 1)
        #expect(await cache.size <= 2 * DNSCache.maxSize + 1024)
    }

    /// What a client wants besides, such as cookies, makes no difference; what makes one is kept apart.
    @Test func aQueryIsKnownByWhatMakesADifference() throws {
        func query(_ edns: [UInt8], flags: [UInt8] = [1, 0]) -> OutsideQuery? {
            var bytes = Self.query("example.com")
            bytes.replaceSubrange(2..<4, with: flags)
            if !edns.isEmpty { bytes[11] = 1 }
            return OutsideQuery(bytes + edns)
        }
        let plain = try #require(query([]))
        let cookie = query([0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])
        let larger = query([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0])
        #expect(cookie == larger)
        #expect(cookie != plain)
        #expect(query([0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, 0, 0]) != larger, "signatures")
        #expect(query([], flags: [0, 0]) != plain, "no recursion")
        #expect(query([], flags: [1, 0x10]) != plain, "not checked")
        #expect(OutsideQuery(plain.bytes) == plain)
        #expect(OutsideQuery(Array(Self.query("example.com").dropLast(1))) == nil)
    }

    @Test func whatFitsNoDatagramIsAskedForByStream() throws {
        let query = Self.query("example.com")
        let long = try Self.answer(query, ttls: [UInt32](repeating: 5, count: 100))
        let short = DNSMessage.truncated(long, to: 512)
        #expect(short.count == query.count)
        #expect(DNSMessage.isTruncated(short) && !DNSMessage.isTruncated(long))
        #expect(Array(short[4..<12]) == [0, 1, 0, 0, 0, 0, 0, 0])
        #expect(DNSMessage.truncated(long, to: long.count) == long)
    }
}
