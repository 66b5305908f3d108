import Addresses
import KubernetesModel

/// What the LoadBalancer controller does for one Service.
enum LoadBalancerPlan: Equatable {
    case leave
    case assign(String)
    case release

    /// - Parameters:
    ///   - taken: the addresses of the other Services.
    ///   - network: where addresses are given out from; one from elsewhere, of a time when the cluster had another
    ///     network, is replaced.
    init(service: Object, taken: Set<String>, network: IPv4Network) {
        let present = service.loadBalancerAddress
        let wants =
            service.spec["type"].string == "LoadBalancer" && service.spec["loadBalancerClass"].isNull
            && !service.isBeingDeleted
        guard wants else {
            // Under a class, the address is another controller's.
            self = present != nil && service.spec["type"].string != "LoadBalancer" ? .release : .leave
            return
        }
        let wanted = service.spec["loadBalancerIP"].string.flatMap {
            Self.assignable($0, in: network) == nil ? nil : $0
        }
        if let wanted, !taken.contains(wanted) {
            self = wanted == present ? .leave : .assign(wanted)
        } else if let present, !taken.contains(present), let address = IPv4Address(present),
            network.contains(address)
        {
            self = .leave
        } else {
            self = Self.firstFree(taken, in: network).map { .assign($0.description) } ?? .leave
        }
    }

    private static func firstFree(_ taken: Set<String>, in network: IPv4Network) -> IPv4Address? {
        let used = Set(taken.compactMap { assignable($0, in: network) })
        // One of this many numbers is free, whatever is taken.
        let end = min(network.count - 2, used.count * 2 + 3)
        return (1...end).lazy.map { network.base.advanced(by: $0) }.first {
            !used.contains($0) && $0.value & 0xFF != 0 && $0.value & 0xFF != 0xFF
        }
    }

    /// The address that a text names, where it can be given out: one of this cluster's, which others keep away from.
    private static func assignable(_ text: String, in network: IPv4Network) -> IPv4Address? {
        guard let address = IPv4Address(text), network.contains(address), address != network.base else { return nil }
        return address
    }
}

extension Object {
    /// The first address at which a LoadBalancer Service is reached.
    var loadBalancerAddress: String? { status["loadBalancer"]["ingress"][0]["ip"].string }
}
