import Addresses
import KubernetesModel

/// The desired state of the Services' host side: addresses, and the endpoints behind each.
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
            let backends = port.endpoints(in: slices).compactMap { endpoint in
                IPv4Address(endpoint.address).map { Balancer.Backend(address: $0, port: endpoint.port) }
            }
            var addresses = service.ingressAddresses.filter { $0.hasPrefix("127.") }.map {
                HostAddress(address: $0, port: port.port, transport: port.transport)
            }
            if let nodePort = port.nodePort {
                addresses.append(
                    HostAddress(address: AddressPlan.loopback.description, port: nodePort, transport: port.transport))
            }
            return addresses.map {
                HostListener(
                    address: $0, service: service.object.key, backends: backends, affinityTimeout: timeout)
            }
        }
    }
}
