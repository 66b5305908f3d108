import Addresses
import KubernetesModel
import Linux

/// All Services' rules of one node, and the nft commands that bring the kernel's table from one state to the next.
struct RuleTable: Sendable {
    static let table = "ip martlet"
    /// Packets with this mark leave with the node's own address.
    static let masqueradeMark = "0x4000"

    private var fragments: [ObjectKey: ServiceFragment] = [:]
    /// Two Services may want one element (an external address, a pod's hairpin): the first by name has it.
    private var claims: [RuleElement: [ObjectKey: String]] = [:]

    /// Puts new contributions in the place of old ones. An empty fragment takes a Service out.
    ///
    /// - Returns: one transaction; nil where nothing changes.
    mutating func update(_ changes: [ObjectKey: ServiceFragment]) -> String? {
        var transaction = Transaction()
        var touched: [RuleElement: String?] = [:]
        for (key, new) in changes.sorted(by: { $0.key < $1.key }) {
            let old = fragments[key] ?? ServiceFragment()
            guard old != new else { continue }
            fragments[key] = new == ServiceFragment() ? nil : new
            transaction.change(from: old, to: new)
            for (element, value) in old.elements where new.elements[element] != value {
                if touched[element] == nil { touched[element] = .some(effective(element)) }
                claims[element]?[key] = nil
                if claims[element]?.isEmpty == true { claims[element] = nil }
            }
            for (element, value) in new.elements where old.elements[element] != value {
                if touched[element] == nil { touched[element] = .some(effective(element)) }
                claims[element, default: [:]][key] = value
            }
        }
        for (element, before) in touched {
            let after = effective(element)
            guard before != after else { continue }
            if before != nil { transaction.deleted[element.container, default: []].append(element.key) }
            if let after { transaction.added[element.container, default: []].append((element.key, after)) }
        }
        return transaction.text
    }

    /// One transaction that makes the kernel's table this one, whatever it is now.
    ///
    /// - Parameter listing: what `list table` prints of it, "" where there is none. Sets that stay keep their elements,
    ///   so clients keep their endpoints while the agent is started again.
    func replacement(listing: String) -> String {
        var transaction = Transaction()
        for fragment in fragments.values { transaction.change(from: ServiceFragment(), to: fragment) }
        for element in claims.keys {
            guard let value = effective(element) else { continue }
            transaction.added[element.container, default: []].append((element.key, value))
        }
        let present = Self.names(in: listing)
        let keptChains = Set(transaction.rules.keys).union(Self.fixedChains)
        let keptSets = Set(transaction.newSets.keys).union(Self.maps)
        let removal =
            present.chains.filter { !keptChains.contains($0) }.map { "delete chain \(Self.table) \($0)" }
            + present.sets.filter { !keptSets.contains($0) }.map { "delete set \(Self.table) \($0)" }
        return (Self.frame + removal + transaction.commands).joined(separator: "\n") + "\n"
    }

    /// The ends of UDP flows that are translated, and the addresses that they are translated from.
    var datagrams: (endpoints: Set<ConnectionTracking.Endpoint>, addresses: Set<ConnectionTracking.Endpoint>) {
        fragments.values.reduce(into: ([], [])) { result, fragment in
            result.0.formUnion(fragment.datagramEndpoints)
            result.1.formUnion(fragment.datagramAddresses)
        }
    }

    private func effective(_ element: RuleElement) -> String? {
        guard let owners = claims[element] else { return nil }
        return owners.count == 1 ? owners.first?.value : owners.min { $0.key < $1.key }?.value
    }

    private static func names(in listing: String) -> (chains: [String], sets: [String]) {
        var chains: [String] = []
        var sets: [String] = []
        for line in listing.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count == 3, words[2] == "{" else { continue }
            if words[0] == "chain" { chains.append(String(words[1])) }
            if words[0] == "set" || words[0] == "map" { sets.append(String(words[1])) }
        }
        return (chains, sets)
    }

    private static let maps = ["services", "node-ports", "refused-services", "refused-node-ports", "hairpins"]
    private static let fixedChains = [
        "dispatch", "refusals", "refuse", "prerouting", "output", "postrouting", "filter-forward", "filter-output",
        "filter-input",
    ]

    /// The table without Services. Clears what an earlier agent left, but for sets of clients.
    private static let frame: [String] = {
        func add(_ what: String) -> String { "add \(what.prefix { $0 != " " }) \(table)\(what.drop { $0 != " " })" }
        let definitions = [
            "map services { type ipv4_addr . inet_proto . inet_service : verdict; }",
            "map node-ports { type inet_proto . inet_service : verdict; }",
            "map refused-services { type ipv4_addr . inet_proto . inet_service : verdict; }",
            "map refused-node-ports { type inet_proto . inet_service : verdict; }",
            "set hairpins { type ipv4_addr . ipv4_addr; }",
            "chain dispatch", "chain refusals", "chain refuse",
            "chain prerouting { type nat hook prerouting priority dstnat; }",
            "chain output { type nat hook output priority -100; }",
            "chain postrouting { type nat hook postrouting priority srcnat; }",
            "chain filter-forward { type filter hook forward priority filter; }",
            "chain filter-output { type filter hook output priority filter; }",
            "chain filter-input { type filter hook input priority filter; }",
        ]
        let flushes = maps.map { "flush \($0 == "hairpins" ? "set" : "map") \(table) \($0)" }
        let rules = [
            "rule prerouting jump dispatch", "rule output jump dispatch",
            "rule dispatch ip daddr . meta l4proto . th dport vmap @services",
            "rule dispatch fib daddr type local meta l4proto . th dport vmap @node-ports",
            "rule postrouting meta mark & \(masqueradeMark) == \(masqueradeMark) masquerade",
            // A pod that reaches itself through a Service would answer itself directly.
            "rule postrouting ct status dnat ip saddr . ip daddr @hairpins masquerade",
            "rule filter-forward ct state new jump refusals", "rule filter-output ct state new jump refusals",
            "rule filter-input ct state new jump refusals",
            // Who comes from there would be taken for somebody on the loopback of whom they reach.
            "rule refusals ip saddr \(AddressPlan.loadBalancersWithin) drop",
            "rule refusals ip daddr . meta l4proto . th dport vmap @refused-services",
            "rule refusals fib daddr type local meta l4proto . th dport vmap @refused-node-ports",
            // No Service has it. No word of it but a reset would be understood where it came from.
            "rule refusals ip daddr \(AddressPlan.loadBalancersWithin) goto refuse",
            "rule refuse meta l4proto tcp reject with tcp reset", "rule refuse reject with icmp port-unreachable",
        ]
        return ["add table \(table)", "flush table \(table)"] + definitions.map(add) + flushes + rules.map(add)
    }()
}

/// Commands in the order in which nothing refers to what is not there.
private struct Transaction {
    var newSets: [String: String] = [:]
    var oldSets: [String] = []
    var newChains: [String] = []
    var changedChains: [String] = []
    var oldChains: [String] = []
    var rules: [String: [String]] = [:]
    var deleted: [String: [String]] = [:]
    var added: [String: [(key: String, value: String)]] = [:]

    mutating func change(from old: ServiceFragment, to new: ServiceFragment) {
        for (name, definition) in new.sets where old.sets[name] == nil { newSets[name] = definition }
        oldSets += old.sets.keys.filter { new.sets[$0] == nil }
        for (name, lines) in new.chains where old.chains[name] != lines {
            if old.chains[name] == nil { newChains.append(name) } else { changedChains.append(name) }
            rules[name] = lines
        }
        oldChains += old.chains.keys.filter { new.chains[$0] == nil }
    }

    var text: String? {
        let commands = commands
        return commands.isEmpty ? nil : commands.joined(separator: "\n") + "\n"
    }

    var commands: [String] {
        let table = RuleTable.table
        var lines = newSets.sorted { $0.key < $1.key }.map { "add set \(table) \($0) { \($1) }" }
        lines += newChains.sorted().map { "add chain \(table) \($0)" }
        lines += (changedChains + oldChains).sorted().map { "flush chain \(table) \($0)" }
        for (container, keys) in deleted.sorted(by: { $0.key < $1.key }) {
            lines.append("delete element \(table) \(container) { \(keys.sorted().joined(separator: ", ")) }")
        }
        for (name, texts) in rules.sorted(by: { $0.key < $1.key }) {
            lines += texts.map { "add rule \(table) \(name) \($0)" }
        }
        for (container, elements) in added.sorted(by: { $0.key < $1.key }) {
            let texts = elements.sorted { $0.key < $1.key }.map {
                $0.value.isEmpty ? $0.key : "\($0.key) : \($0.value)"
            }
            lines.append("add element \(table) \(container) { \(texts.joined(separator: ", ")) }")
        }
        lines += oldChains.sorted().map { "delete chain \(table) \($0)" }
        lines += oldSets.sorted().map { "delete set \(table) \($0)" }
        return lines
    }
}
