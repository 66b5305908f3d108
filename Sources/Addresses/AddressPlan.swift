/// Addresses: IP addresses, and which of them the parts of a cluster have.
///
/// The one place where addresses are parsed and planned. It depends on no other target and does no input or output.

/// The addresses of a cluster's parts, the same ones in every cluster (docs/architecture.md).
///
/// Pods, Services and nodes are in the network namespaces of the cluster, so that clusters do not meet there; its
/// LoadBalancer Services are in the loopback network of the host, where each cluster has a range of its own.
package enum AddressPlan {
    /// The loopback address of the host, at which the API and node ports are reached.
    package static let loopback = IPv4Address(127, 0, 0, 1)

    // MARK: Nodes

    /// The bridge of the cluster's namespace, to which the nodes are joined.
    package static let nodeBridge = "mt0"
    /// The network that joins the nodes.
    package static let nodes = IPv4Network(IPv4Address(172, 30, 0, 0), prefix: 16)
    /// The cluster's own address on the bridge of the nodes, which is their gateway.
    package static let gateway = IPv4Address(172, 30, 0, 1)
    /// Where pods and nodes reach the API server: the endpoint of the Service `kubernetes`.
    package static let apiServer = gateway
    package static let apiServerPort = 6443
    /// The indexes of nodes, which give them their addresses.
    package static let nodeIndexes = 1...250

    /// The address of a node: 172.30.0.2 and up.
    package static func node(_ index: Int) -> IPv4Address { gateway.advanced(by: index) }

    // MARK: Pods

    /// The bridge of a node's namespace, to which its pods are joined.
    package static let podBridge = "cbr0"
    package static let pods = IPv4Network(IPv4Address(10, 244, 0, 0), prefix: 16)

    /// The network of a node's pods: 10.244.N.0/24.
    package static func pods(ofNode index: Int) -> IPv4Network {
        IPv4Network(pods.base.advanced(by: index << 8), prefix: 24)
    }
    /// The address of the bridge of a node's pods, which is their gateway: 10.244.N.1.
    package static func podGateway(ofNode index: Int) -> IPv4Address { pods(ofNode: index).base.advanced(by: 1) }
    /// The last numbers of pods' addresses: .0 is the network, .1 the bridge, .255 the broadcast address.
    package static let podNumbers = 2...254

    /// The index of the node whose pods have addresses in `network`, in the form that `pods(ofNode:)` has.
    package static func nodeIndex(ofPodNetwork network: String) -> Int? {
        nodeIndexes.first { pods(ofNode: $0).description == network }
    }

    // MARK: The way out

    /// The link by which the cluster's namespace reaches the outside: a tap, whose other end is a program on the host.
    package static let egressLink = "egress"
    /// The network of that link, the last one of the nodes', which no node has an address of.
    package static let egress = IPv4Network(IPv4Address(172, 30, 255, 0), prefix: 24)
    /// The cluster's own address there, with which pods leave.
    package static let egressAddress = egress.base.advanced(by: 100)
    /// The way out, and the address at which pods reach programs on the host's loopback, where the cluster may.
    package static let host = egress.base.advanced(by: 2)
    /// The names of that address, as other local clusters and container engines have them too.
    package static let hostNames = ["host.martlet.internal", "host.docker.internal", "host.minikube.internal"]
    /// Where no packet leaves to: nowhere on a network, or to the machine itself; link-local, where clouds serve
    /// machines their credentials, and the other addresses where they do; the cluster's own, which would be some
    /// other's outside.
    package static let neverOutside =
        [
            IPv4Network(IPv4Address(0), prefix: 8), IPv4Network(IPv4Address(127, 0, 0, 0), prefix: 8),
            IPv4Network(IPv4Address(169, 254, 0, 0), prefix: 16), IPv4Network(IPv4Address(224, 0, 0, 0), prefix: 3),
            IPv4Network(IPv4Address(100, 100, 100, 200), prefix: 32),
            IPv4Network(IPv4Address(168, 63, 129, 16), prefix: 32),
            IPv4Network(IPv4Address(192, 0, 0, 192), prefix: 32),
        ] + ownNetworks.map(\.network)

    // MARK: Reaching others

    /// Whether the API server may connect to an address for a user: one of a pod or a node, and not of what serves the
    /// cluster itself, which takes whoever comes from within for one of its own, nor of the way out.
    package static func isReachableForUsers(_ address: IPv4Address) -> Bool {
        guard address != gateway, !egress.contains(address) else { return false }
        return pods.contains(address) || nodes.contains(address)
    }

    // MARK: Services

    package static let services = IPv4Network(IPv4Address(10, 96, 0, 0), prefix: 16)
    /// The Service `kubernetes`: a plain address of the cluster's namespace.
    package static let kubernetes = IPv4Address(10, 96, 0, 1)
    /// The DNS server: a plain address of the cluster's namespace.
    package static let dns = IPv4Address(10, 96, 0, 10)

    /// The ports of nodes, and of the host's loopback address, that Services may have.
    package static let nodePorts = 30000...32767

    /// Whose addresses within the cluster no Service may have besides its own: who claimed one would take over names or
    /// the API.
    package static let ownNetworks: [(use: String, network: IPv4Network)] = [
        ("Services", services), ("LoadBalancers", loadBalancersWithin), ("pods", pods), ("nodes", nodes),
    ]

    /// The octets that clusters take for their LoadBalancer Services: 127.0 and its neighbours stay the host's own.
    package static let loadBalancerOctets = 16...250
    /// The addresses of a cluster's LoadBalancer Services: 127.N.0.0/16.
    package static func loadBalancers(octet: Int) -> IPv4Network {
        IPv4Network(IPv4Address(127, UInt8(octet), 0, 0), prefix: 16)
    }
    /// What LoadBalancer addresses are between pods and the rules of their node: on the way, a packet of 127.0.0.0/8
    /// would be thrown away.
    package static let loadBalancersWithin = IPv4Network(IPv4Address(10, 97, 0, 0), prefix: 16)

    /// What the address of a LoadBalancer Service, of whatever cluster, is there.
    package static func within(_ loadBalancer: IPv4Address) -> IPv4Address {
        IPv4Address(loadBalancersWithin.base.value | loadBalancer.value & 0xFFFF)
    }
}
