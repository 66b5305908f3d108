import Synchronization

/// How many queries are under way to name servers outside, in all and for one client: a pod that asks for many leaves
/// some for the others.
final class ForwardLimits: Sendable {
    private struct State {
        var count = 0
        var byClient: [String: Int] = [:]
    }

    private let max: Int
    private let maxPerClient: Int
    private let state = Mutex(State())

    init(max: Int = 1024, perClient: Int = 128) {
        self.max = max
        maxPerClient = perClient
    }

    /// Runs `body`, unless too many are under way.
    func run<Result>(
        for client: String, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws(DNSUpstreamFailure) -> Result
    ) async throws(DNSUpstreamFailure) -> Result {
        guard begin(client) else { throw .overloaded }
        defer { end(client) }
        return try await body()
    }

    private func begin(_ client: String) -> Bool {
        state.withLock { state in
            guard state.count < max, state.byClient[client, default: 0] < maxPerClient else { return false }
            state.count += 1
            state.byClient[client, default: 0] += 1
            return true
        }
    }

    private func end(_ client: String) {
        state.withLock { state in
            state.count -= 1
            let left = (state.byClient[client] ?? 1) - 1
            state.byClient[client] = left == 0 ? nil : left
        }
    }
}
