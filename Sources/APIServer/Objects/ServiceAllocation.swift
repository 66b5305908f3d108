import Addresses
import KubernetesModel

/// Hands out the cluster IPs and node ports of Services, each to one Service at a time.
actor ServiceAllocation {
    static let ports = AddressPlan.nodePorts
    /// Addresses with a fixed use: the API server and the DNS server.
    static let reserved: Set<IPv4Address> = [AddressPlan.kubernetes, AddressPlan.dns]

    private var addresses: [IPv4Address: ObjectKey] = [:]
    private var nodePorts: [NodePort: ObjectKey] = [:]

    struct NodePort: Hashable {
        let port: Int
        let protocolName: String
    }

    /// - Parameter services: those that exist, whose addresses and ports are taken.
    init(services: [Object]) {
        for service in services {
            for address in Self.addresses(of: service) { addresses[address] = service.key }
            for port in Self.nodePorts(of: service) { nodePorts[port] = service.key }
        }
    }

    func claim(_ address: IPv4Address, for key: ObjectKey) -> Bool {
        guard addresses[address] == nil || addresses[address] == key else { return false }
        addresses[address] = key
        return true
    }

    /// A free address, from the upper part of the range first, as in Kubernetes: clients choose fixed ones in the lower.
    func anyAddress(for key: ObjectKey) -> IPv4Address? {
        for range in [256...65534, 1...255] {
            let start = Int.random(in: range)
            for offset in 0..<range.count {
                let host = range.lowerBound + (start - range.lowerBound + offset) % range.count
                let address = AddressPlan.services.base.advanced(by: host)
                guard addresses[address] == nil, !Self.reserved.contains(address) else { continue }
                addresses[address] = key
                return address
            }
        }
        return nil
    }

    func claim(_ port: NodePort, for key: ObjectKey) -> Bool {
        guard nodePorts[port] == nil || nodePorts[port] == key else { return false }
        nodePorts[port] = key
        return true
    }

    func anyPort(_ protocolName: String, for key: ObjectKey) -> Int? {
        let start = Int.random(in: Self.ports)
        for offset in 0..<Self.ports.count {
            let port = Self.ports.lowerBound + (start - Self.ports.lowerBound + offset) % Self.ports.count
            // Protocols share a port only where a client says so.
            guard ["TCP", "UDP", "SCTP"].allSatisfy({ nodePorts[NodePort(port: port, protocolName: $0)] == nil })
            else { continue }
            nodePorts[NodePort(port: port, protocolName: protocolName)] = key
            return port
        }
        return nil
    }

    /// Releases what a Service holds, except for what `kept` still has.
    func release(_ key: ObjectKey, keeping kept: Object?) {
        let keptAddresses = kept.map(Self.addresses) ?? []
        let keptPorts = kept.map(Self.nodePorts) ?? []
        addresses = addresses.filter { $0.value != key || keptAddresses.contains($0.key) }
        nodePorts = nodePorts.filter { $0.value != key || keptPorts.contains($0.key) }
    }

    static func addresses(of service: Object) -> Set<IPv4Address> {
        let texts = service.spec["clusterIPs"].strings + [service.spec["clusterIP"].string ?? ""]
        return Set(texts.compactMap { IPv4Address($0) })
    }

    static func nodePorts(of service: Object) -> Set<NodePort> {
        var ports: Set<NodePort> = []
        for port in service.spec["ports"].items {
            guard let number = port["nodePort"].int, number > 0 else { continue }
            ports.insert(NodePort(port: number, protocolName: port["protocol"].string ?? "TCP"))
        }
        if let number = service.spec["healthCheckNodePort"].int, number > 0 {
            ports.insert(NodePort(port: number, protocolName: "TCP"))
        }
        return ports
    }
}
