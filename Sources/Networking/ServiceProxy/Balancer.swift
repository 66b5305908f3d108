import Addresses
import KubernetesModel

/// Chooses endpoints for one port of one Service: in turn, or always the same for one client.
struct Balancer: Sendable {
    struct Backend: Sendable, Hashable {
        let address: IPv4Address
        let port: Int
    }

    private struct Affinity: Sendable {
        var backend: Backend
        var lastUsed: ContinuousClock.Instant
    }

    private(set) var backends: [Backend]
    private var next = 0
    /// How long a client keeps its endpoint without a new connection; nil without session affinity.
    private var affinityTimeout: Duration?
    private var affinities: [IPv4Address: Affinity] = [:]

    init(backends: [Backend], affinityTimeout: Duration?) {
        self.backends = backends
        self.affinityTimeout = affinityTimeout
    }

    mutating func update(backends: [Backend], affinityTimeout: Duration?) {
        self.backends = backends
        self.affinityTimeout = affinityTimeout
        if affinityTimeout == nil { affinities = [:] }
        affinities = affinities.filter { backends.contains($0.value.backend) }
    }

    /// The endpoints to try for a client, best first; none where the Service has none.
    mutating func choose(client: IPv4Address, now: ContinuousClock.Instant) -> [Backend] {
        guard !backends.isEmpty else { return [] }
        if let timeout = affinityTimeout, let known = affinities[client], now - known.lastUsed < timeout {
            affinities[client]?.lastUsed = now
            return [known.backend] + backends.filter { $0 != known.backend }
        }
        next = (next + 1) % backends.count
        let order = Array(backends[next...] + backends[..<next])
        if affinityTimeout != nil {
            if affinities.count > 10_000 { affinities = affinities.filter { now - $0.value.lastUsed < .seconds(60) } }
            affinities[client] = Affinity(backend: order[0], lastUsed: now)
        }
        return order
    }
}
