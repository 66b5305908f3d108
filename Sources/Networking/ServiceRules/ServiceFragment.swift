import Addresses
import KubernetesModel
import Linux

/// An element of a map (with the verdict it leads to) or of a set, by the map's name and its key in nft's words.
struct RuleElement: Sendable, Hashable {
    let container: String
    let key: String
}

/// What one Service contributes to a node's rules.
///
/// A port has a chain for the endpoints of the whole cluster and one for those of this node, as the traffic policies
/// need them; the table's maps lead to these. So a packet costs one look-up, however many Services there are.
struct ServiceFragment: Sendable, Equatable {
    /// Definitions of sets by name.
    var sets: [String: String] = [:]
    /// Rules of chains by name.
    var chains: [String: [String]] = [:]
    /// Verdicts of map elements, "" for elements of sets.
    var elements: [RuleElement: String] = [:]
    /// The UDP endpoints that may have flows.
    var datagramEndpoints: Set<ConnectionTracking.Endpoint> = []
    /// The UDP addresses that are translated to them.
    var datagramAddresses: Set<ConnectionTracking.Endpoint> = []

    init() {}

    /// - Parameters:
    ///   - node: the name of the node whose rules these are.
    ///   - loadBalancers: where the cluster's LoadBalancer Services have their addresses.
    init(_ service: Service, slices: [EndpointSlice], node: String, loadBalancers: IPv4Network? = nil) {
        guard service.type != "ExternalName", let clusterIP = service.clusterIP, Self.isTranslated(clusterIP) else {
            return
        }
        for port in service.ports where ["TCP", "UDP"].contains(port.transport) && (1...65_535).contains(port.port) {
            add(
                port, of: service, clusterIP: clusterIP, slices: slices, node: node, loadBalancers: loadBalancers)
        }
    }

    /// Whether an address is one that Services have, and none that the cluster's namespace has itself.
    private static func isTranslated(_ clusterIP: String) -> Bool {
        guard let address = IPv4Address(clusterIP) else { return false }
        return AddressPlan.services.contains(address) && address != AddressPlan.kubernetes && address != AddressPlan.dns
    }

    /// Whether an address outside the cluster may be led to a Service; the API server accepts no other.
    private static func isExternal(_ text: String) -> Bool {
        guard let address = IPAddress(text), let number = IPv4Address(text) else { return false }
        return !address.isUnspecified && !address.isLoopback && !address.isLinkLocal
            && !AddressPlan.ownNetworks.contains { $0.network.contains(number) }
    }

    private mutating func add(
        _ port: Service.Port, of service: Service, clusterIP: String, slices: [EndpointSlice], node: String,
        loadBalancers: IPv4Network?
    ) {
        let transport = port.transport.lowercased()
        let chain = PortChains(
            name: "\(service.object.namespace)/\(service.object.name)/\(transport)/\(port.port)", transport: transport,
            affinity: service.hasClientIPAffinity ? min(max(1, service.affinityTimeout), 86_400) : nil,
            all: port.endpoints(in: slices), local: port.endpoints(in: slices, onNode: node))
        if transport == "udp", !chain.all.isEmpty {
            datagramEndpoints.formUnion(chain.all.compactMap { Self.flowEnd($0.address, $0.port) })
            if let end = Self.flowEnd(clusterIP, port.port) { datagramAddresses.insert(end) }
        }
        for endpoint in chain.all where endpoint.nodeName == node {
            elements[RuleElement(container: "hairpins", key: "\(endpoint.address) . \(endpoint.address)")] = ""
        }

        let inner = verdict(chain, local: service.isInternalTrafficLocal)
        lead("\(clusterIP) . \(transport) . \(port.port)", to: inner, "services", "refused-services")
        // A pod that uses the host's address of a Service is within all the same: it reaches all endpoints.
        let within = service.ingressAddresses.compactMap { IPv4Address($0) }.filter {
            loadBalancers?.contains($0) ?? false
        }
        for address in Set(within.map(AddressPlan.within)) {
            let verdict = verdict(chain, local: false)
            lead("\(address) . \(transport) . \(port.port)", to: verdict, "services", "refused-services")
            if transport == "udp", let end = Self.flowEnd(address.description, port.port) {
                datagramAddresses.insert(end)
            }
        }

        let externalIPs = service.externalIPs.filter(Self.isExternal)
        let nodePort = port.nodePort.flatMap { AddressPlan.nodePorts.contains($0) ? $0 : nil }
        guard nodePort != nil || !externalIPs.isEmpty else { return }
        let outer: Verdict
        switch verdict(chain, local: service.isExternalTrafficLocal) {
        case .chain(let name) where !service.isExternalTrafficLocal:
            // The endpoint may be on another node, and must answer by way of this one.
            let marking = "external/\(chain.name)"
            chains[marking] = ["meta mark set meta mark | \(RuleTable.masqueradeMark)", "goto \(name)"]
            outer = .chain(marking)
        case let other: outer = other
        }
        for address in externalIPs {
            lead("\(address) . \(transport) . \(port.port)", to: outer, "services", "refused-services")
        }
        if let nodePort {
            lead("\(transport) . \(nodePort)", to: outer, "node-ports", "refused-node-ports")
        }
    }

    private static func flowEnd(_ address: String, _ port: Int) -> ConnectionTracking.Endpoint? {
        guard let address = IPv4Address(address), let port = UInt16(exactly: port) else { return nil }
        return ConnectionTracking.Endpoint(address: address, port: port)
    }

    private enum Verdict {
        case chain(String)
        /// No endpoint anywhere: the client's connection is refused.
        case refuse
        /// No endpoint here, where the policy wants one.
        case drop
    }

    private mutating func verdict(_ port: PortChains, local: Bool) -> Verdict {
        guard !port.all.isEmpty else { return .refuse }
        guard local else { return .chain(addChain("cluster/\(port.name)", port, port.all)) }
        return port.local.isEmpty ? .drop : .chain(addChain("local/\(port.name)", port, port.local))
    }

    private mutating func lead(_ key: String, to verdict: Verdict, _ map: String, _ refusals: String) {
        switch verdict {
        case .chain(let name): elements[RuleElement(container: map, key: key)] = "goto \(name)"
        case .refuse: elements[RuleElement(container: refusals, key: key)] = "goto refuse"
        case .drop: elements[RuleElement(container: refusals, key: key)] = "drop"
        }
    }

    private struct PortChains {
        let name: String
        let transport: String
        /// Seconds for which a client keeps its endpoint.
        let affinity: Int?
        let all: [ServiceEndpoint]
        let local: [ServiceEndpoint]
    }

    private mutating func addChain(_ name: String, _ port: PortChains, _ endpoints: [ServiceEndpoint]) -> String {
        guard let timeout = port.affinity else {
            chains[name] = ["meta l4proto \(port.transport) dnat ip to \(Self.choice(endpoints))"]
            return name
        }
        var rules: [String] = []
        var targets: [String] = []
        for endpoint in endpoints {
            let place = "\(port.name)/\(endpoint.address)/\(endpoint.port)"
            // The timeout is in the name because a set's cannot be changed.
            let set = "affinity/\(place)/\(timeout)"
            sets[set] = "type ipv4_addr; flags dynamic,timeout; timeout \(timeout)s;"
            chains["endpoint/\(place)"] = [
                "update @\(set) { ip saddr }",
                "meta l4proto \(port.transport) dnat to \(endpoint.address):\(endpoint.port)",
            ]
            rules.append("ip saddr @\(set) goto endpoint/\(place)")
            targets.append("\(targets.count) : goto endpoint/\(place)")
        }
        rules.append("numgen random mod \(endpoints.count) vmap { \(targets.joined(separator: ", ")) }")
        chains[name] = rules
        return name
    }

    private static func choice(_ endpoints: [ServiceEndpoint]) -> String {
        if endpoints.count == 1 { return "\(endpoints[0].address):\(endpoints[0].port)" }
        let targets = endpoints.enumerated().map { "\($0) : \($1.address) . \($1.port)" }
        return "numgen random mod \(endpoints.count) map { \(targets.joined(separator: ", ")) }"
    }
}
