import KubernetesModel

/// What the host side of the Services should be: which addresses, and which endpoints behind each.
struct HostListener: Sendable, Hashable {
    let address: HostAddress
    let service: ObjectKey
    let backends: [Balancer.Backend]
    let affinityTimeout: Duration?

    /// The listeners of one Service with its slices: a LoadBalancer's addresses with the Service's ports, and
    /// 127.0.0.1 with its node ports.
    static func of(_ service: Service, slices: [EndpointSlice]) -> [HostListener] {
        guard service.type == "LoadBalancer" || service.type == "NodePort" else { return [] }
        let timeout: Duration? = service.hasClientIPAffinity ? .seconds(service.affinityTimeout) : nil
        return service.ports.filter { $0.transport != "SCTP" }.flatMap { port in
            let backends = Self.backends(port, slices)
            var addresses = service.ingressAddresses.filter { $0.hasPrefix("127.") }.map {
                HostAddress(address: $0, port: port.port, transport: port.transport)
            }
            if let nodePort = port.nodePort {
                addresses.append(HostAddress(address: "127.0.0.1", port: nodePort, transport: port.transport))
            }
            return addresses.map {
                HostListener(
                    address: $0, service: service.object.key, backends: backends, affinityTimeout: timeout)
            }
        }
    }

    /// The ready endpoints; where there are none, those that still serve while they end (KEP-1669).
    private static func backends(_ port: Service.Port, _ slices: [EndpointSlice]) -> [Balancer.Backend] {
        func collect(_ suits: (EndpointSlice.Endpoint) -> Bool) -> [Balancer.Backend] {
            let all = slices.filter { $0.addressType == "IPv4" }.flatMap { slice in
                let number = slice.ports.first { $0.name == port.name && $0.transport == port.transport }?.port
                guard let number else { return [Balancer.Backend]() }
                return slice.endpoints.filter(suits).compactMap { endpoint in
                    endpoint.addresses.first.map { Balancer.Backend(address: $0, port: number) }
                }
            }
            return Set(all).sorted { ($0.address, $0.port) < ($1.address, $1.port) }
        }
        let ready = collect { $0.isReady }
        return ready.isEmpty ? collect { $0.isServing && $0.isTerminating } : ready
    }
}
