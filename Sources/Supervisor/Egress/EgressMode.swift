/// How far pods reach: `martlet start --egress`.
public enum EgressMode: String, Sendable, CaseIterable {
    /// What the host reaches, but for its own loopback and what is link-local.
    case internet
    /// That, and programs on the host's loopback, under the names of `AddressPlan.hostNames`.
    case host
    /// The cluster alone.
    case none

    static let names = allCases.map(\.rawValue).joined(separator: ", ")
}
