import KubernetesModel

/// Hands out the cluster IPs and node ports of Services, each to one Service at a time.
actor ServiceAllocation {
    static let networkPrefix: UInt32 = 0x0A60_0000  // 10.96.0.0
    static let networkMask: UInt32 = 0xFFFF_0000
    static let ports = 30000...32767
    /// Addresses with a fixed use: the API server and the DNS server.
    static let reserved: Set<UInt32> = [0x0A60_0001, 0x0A60_000A]

    private var addresses: [UInt32: ObjectKey] = [:]
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

    func claim(_ address: UInt32, for key: ObjectKey) -> Bool {
        guard addresses[address] == nil || addresses[address] == key else { return false }
        addresses[address] = key
        return true
    }

    /// A free address, from the upper part of the range first, as in Kubernetes: clients choose fixed ones in the lower.
    func anyAddress(for key: ObjectKey) -> UInt32? {
        for range in [UInt32(256)...65534, UInt32(1)...255] {
            let start = UInt32.random(in: range)
            for offset in 0..<UInt32(range.count) {
                let host = range.lowerBound + (start - range.lowerBound + offset) % UInt32(range.count)
                let address = Self.networkPrefix | host
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

    static func addresses(of service: Object) -> Set<UInt32> {
        let texts = service.spec["clusterIPs"].strings + [service.spec["clusterIP"].string ?? ""]
        return Set(texts.compactMap(address))
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

    /// An IPv4 address in dotted form.
    static func address(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part) else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
    }

    static func isInNetwork(_ address: UInt32) -> Bool { address & networkMask == networkPrefix }
}
