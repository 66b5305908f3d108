/// Keeps the answers of name servers for as long as they say, so that a name that many ask for is asked for outside
/// once; also where they all ask at the same time.
public actor DNSCache: DNSUpstream {
    private let upstream: any DNSUpstream
    private let now: @Sendable () -> ContinuousClock.Instant
    /// Answers that were given lately, and those given before: once the former have grown too large the latter are
    /// forgotten, and the former take their place.
    private var recent = Generation()
    private var older = Generation()
    private var underWay: [OutsideQuery: Task<Result<[UInt8], DNSUpstreamFailure>, Never>] = [:]

    private struct Generation {
        var answers: [OutsideQuery: KeptAnswer] = [:]
        var size = 0

        mutating func keep(_ answer: KeptAnswer, for query: OutsideQuery) {
            size += answer.size + query.bytes.count + Self.overhead
            if let old = answers.updateValue(answer, forKey: query) {
                size -= old.size + query.bytes.count + Self.overhead
            }
        }

        /// What an entry takes besides its bytes, about.
        private static let overhead = 160
    }

    /// Bytes of one generation.
    static let maxSize = 1 << 20

    /// - Parameter now: the time.
    public init(_ upstream: any DNSUpstream, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.upstream = upstream
        self.now = now
    }

    /// Bytes of all that is kept, about.
    var size: Int { recent.size + older.size }

    public func resolve(_ query: [UInt8]) async throws(DNSUpstreamFailure) -> [UInt8] {
        guard let outside = OutsideQuery(query) else { throw .unanswered }
        if let kept = kept(outside) { return outside.answer(kept, to: query) }
        let asking: Task<Result<[UInt8], DNSUpstreamFailure>, Never>
        if let present = underWay[outside] {
            asking = present
        } else {
            asking = Task { await self.ask(outside) }
            underWay[outside] = asking
        }
        return outside.answer(try await asking.value.get(), to: query)
    }

    private func ask(_ query: OutsideQuery) async -> Result<[UInt8], DNSUpstreamFailure> {
        defer { underWay[query] = nil }
        do throws(DNSUpstreamFailure) {
            let answer = try await upstream.resolve(query.bytes)
            if let answer = KeptAnswer(answer, received: now()) { keep(answer, for: query) }
            return .success(answer)
        } catch {
            return .failure(error)
        }
    }

    private func kept(_ query: OutsideQuery) -> [UInt8]? {
        if let answer = recent.answers[query] { return answer.answer(at: now()) }
        guard let kept = older.answers[query], let answer = kept.answer(at: now()) else { return nil }
        keep(kept, for: query)
        return answer
    }

    private func keep(_ answer: KeptAnswer, for query: OutsideQuery) {
        recent.keep(answer, for: query)
        guard recent.size > Self.maxSize else { return }
        older = recent
        recent = Generation()
    }
}
