import Addresses
import KubernetesModel

/// The desired state of the Services' host side: addresses, and the endpoints behind each.
struct HostListener: Sendable, Hashable {
    let address: HostAddress
    let service: ObjectKey
    let backends: [Balancer.Backend]
    let affinityTimeout: Duration?
    /// Nil where the port has none.
    var nodePort: Int?

    /// At which of the machine's addresses a Service listens besides: `none`, or some of those that the cluster was
    /// started with.
    static let listenAnnotation = "martlet.dev/listen-address"

    /// The listeners of one Service with its slices: a LoadBalancer's addresses with the Service's ports, 127.0.0.1 with
    /// its node ports, and both at the addresses by which the network reaches it.
    ///
    /// - Parameter listenAddresses: those of Services that ask for no others.
    static func of(_ service: Service, slices: [EndpointSlice], listenAddresses: [String] = []) -> [HostListener] {
        guard service.type == "LoadBalancer" || service.type == "NodePort" else { return [] }
        let timeout: Duration? = service.hasClientIPAffinity ? .seconds(service.affinityTimeout) : nil
        let open = Self.listenAddresses(service, listenAddresses)
        return service.ports.filter { $0.transport != "SCTP" }.flatMap { port in
            let backends = port.endpoints(in: slices).compactMap { endpoint in
                IPv4Address(endpoint.address).map { Balancer.Backend(address: $0, port: endpoint.port) }
            }
            let own = service.ingressAddresses.filter { $0.hasPrefix("127.") }
            var addresses = (own + (service.type == "LoadBalancer" ? open : [])).map {
                HostAddress(address: $0, port: port.port, transport: port.transport)
            }
            if let nodePort = port.nodePort {
                addresses += ([AddressPlan.loopback.description] + open).map {
                    HostAddress(address: $0, port: nodePort, transport: port.transport)
                }
            }
            return addresses.map {
                HostListener(
                    address: $0, service: service.object.key, backends: backends, affinityTimeout: timeout,
                    nodePort: port.nodePort)
            }
        }
    }

    /// The supervisor binds none that the cluster was not started with, whatever Services ask for.
    private static func listenAddresses(_ service: Service, _ all: [String]) -> [String] {
        guard let wanted = service.object.annotations[listenAnnotation] else { return all }
        let addresses = wanted.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map(String.init)
        return addresses == ["none"] ? [] : addresses
    }
}
