/// Answers queries for names outside the cluster.
public protocol DNSUpstream: Sendable {
    /// The answer to a query as it stands.
    func resolve(_ query: [UInt8]) async throws(DNSUpstreamFailure) -> [UInt8]
}

/// Why a name outside the cluster was not resolved.
public enum DNSUpstreamFailure: Error, Sendable, Hashable {
    /// Nobody answered in time, or nobody is to be asked.
    case unanswered
    /// Too many queries are under way.
    case overloaded
}
