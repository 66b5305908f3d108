import Addresses

/// What of a cluster may leave it, and how: the packet filter of the cluster's own namespace, which all that leaves
/// passes.
///
/// What leaves has one address, whatever pod or node it comes from, for the program at the other end of the link knows
/// no other.
public struct EgressRules: Sendable {
    static let table = "ip martlet-egress"

    private let reachesHost: Bool

    /// - Parameter reachesHost: whether pods reach programs on the host's loopback, at the address that stands for it.
    public init(reachesHost: Bool) { self.reachesHost = reachesHost }

    /// Puts the rules in place of what is there.
    public func apply(_ nftables: Nftables) async throws(Nftables.Failure) { try await nftables.run(commands) }

    /// One transaction that makes the table this one, whatever it is now.
    var commands: String {
        let link = AddressPlan.egressLink
        // The nodes' network without the part that belongs to the link.
        let nodes = "\(AddressPlan.nodes.base)-\(IPv4Address(AddressPlan.egress.base.value - 1))"
        let inside = "{ \(AddressPlan.pods), \(AddressPlan.services), \(nodes) }"
        let never = "{ \(AddressPlan.neverOutside.map(\.description).sorted().joined(separator: ", ")) }"
        var lines = ["add table \(Self.table)", "delete table \(Self.table)", "add table \(Self.table)"]
        func chain(_ name: String, _ hook: String, _ rules: [String]) {
            lines.append("add chain \(Self.table) \(name)\(hook.isEmpty ? "" : " { type \(hook); }")")
            lines += rules.map { "add rule \(Self.table) \(name) \($0)" }
        }
        chain(
            "out", "",
            (reachesHost ? ["ip daddr \(AddressPlan.host) accept"] : [])
                + ["ip daddr \(never) reject with icmp admin-prohibited"])
        let answersOnly = "iifname \(link) ct state != { established, related } drop"
        chain("forward", "filter hook forward priority filter", ["oifname \(link) jump out", answersOnly])
        chain("output", "filter hook output priority filter", ["oifname \(link) jump out"])
        chain("input", "filter hook input priority filter", [answersOnly])
        // Connections within need no tracking here: nodes have their own, and it would cost the service proxy's.
        chain(
            "inside", "filter hook prerouting priority raw",
            ["ip saddr \(inside) ip daddr \(inside) notrack"])
        chain("inside-out", "filter hook output priority raw", ["ip daddr \(inside) notrack"])
        chain("leave", "nat hook postrouting priority srcnat", ["oifname \(link) masquerade"])
        return lines.joined(separator: "\n") + "\n"
    }
}
