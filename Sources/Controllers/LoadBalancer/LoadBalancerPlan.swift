import KubernetesModel

/// What the LoadBalancer controller does about one Service.
enum LoadBalancerPlan: Equatable {
    case leave
    case assign(String)
    case release

    /// - Parameters:
    ///   - taken: the addresses of the other Services.
    ///   - octet: addresses are given out from 127.<octet>.0.0/16; one from elsewhere, of a time when the cluster had
    ///     another network, is replaced.
    init(service: Object, taken: Set<String>, octet: Int) {
        let first = 0x7F00_0001 | UInt32(octet) << 16
        let present = service.loadBalancerAddress
        let wants =
            service.spec["type"].string == "LoadBalancer" && service.spec["loadBalancerClass"].isNull
            && !service.isBeingDeleted
        guard wants else {
            // Under a class, the address is another controller's.
            self = present != nil && service.spec["type"].string != "LoadBalancer" ? .release : .leave
            return
        }
        let wanted = service.spec["loadBalancerIP"].string.flatMap { Self.number($0) == nil ? nil : $0 }
        if let wanted, !taken.contains(wanted) {
            self = wanted == present ? .leave : .assign(wanted)
        } else if let present, !taken.contains(present), present.hasPrefix("127.\(octet).") {
            self = .leave
        } else {
            self = Self.firstFree(taken, from: first).map { .assign($0) } ?? .leave
        }
    }

    private static let last: UInt32 = 0x7FFF_FFFE

    private static func firstFree(_ taken: Set<String>, from first: UInt32) -> String? {
        let used = Set(taken.compactMap(number))
        // One of this many numbers is free, whatever is taken.
        let end = min(first + 0xFFFD, first + UInt32(used.count) * 2 + 2)
        return (first...end).first { !used.contains($0) && $0 & 0xFF != 0 && $0 & 0xFF != 0xFF }.map(text)
    }

    /// The number of an address that can be given out; nil for any other text.
    private static func number(_ address: String) -> UInt32? {
        let parts = address.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        guard parts.count == 4 else { return nil }
        let number = parts.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return (0x7F00_0002...last).contains(number) ? number : nil
    }

    private static func text(_ number: UInt32) -> String {
        [24, 16, 8, 0].map { String(number >> $0 & 0xFF) }.joined(separator: ".")
    }
}

extension Object {
    /// The first address at which a LoadBalancer Service is reached.
    var loadBalancerAddress: String? { status["loadBalancer"]["ingress"][0]["ip"].string }
}
