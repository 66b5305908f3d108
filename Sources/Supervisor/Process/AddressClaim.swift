import Addresses
import Glibc
import Linux

/// This cluster's claim on 127.<octet>.0.0/16 for its LoadBalancer Services, so that clusters side by side do not
/// meet there.
///
/// It is an abstract Unix socket: such a name belongs to the network namespace, so it is claimed on the whole machine,
/// and the kernel drops it with the last process that has the socket. Components inherit it, so that no other cluster
/// takes the addresses while the supervisor is dead.
struct AddressClaim {
    let octet: Int
    let descriptor: SharedDescriptor

    /// Takes the claim over from a component that outlived its supervisor, or makes one.
    init(preferring preferred: Int, heldBy components: [pid_t]) throws(SupervisorError) {
        for pid in components {
            for number in Int32(3)..<32 {
                guard let descriptor = try? duplicateDescriptor(number, of: pid) else { continue }
                if Self.name(of: descriptor) == Self.name(preferred) {
                    octet = preferred
                    self.descriptor = SharedDescriptor(descriptor)
                    return
                }
            }
        }
        for candidate in [preferred] + Array(AddressPlan.loadBalancerOctets) {
            if let descriptor = Self.claim(candidate) {
                octet = candidate
                self.descriptor = SharedDescriptor(descriptor)
                return
            }
        }
        let octets = AddressPlan.loadBalancerOctets
        throw .failed(
            "all of 127.\(octets.lowerBound).0.0 to 127.\(octets.upperBound).0.0 is taken by other clusters; delete one "
                + "of them")
    }

    /// With the zero byte that makes it abstract.
    private static func name(_ octet: Int) -> [UInt8] { [0] + Array("martlet-loadbalancer-127.\(octet)".utf8) }

    private static let pathOffset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2

    private static func claim(_ octet: Int) -> Descriptor? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = name(octet)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        guard let descriptor = try? makeSocket(domain: AF_UNIX, type: Int32(SOCK_DGRAM.rawValue)) else { return nil }
        let length = socklen_t(pathOffset + name.count)
        let result = descriptor.withRawValue { number in
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(number, $0, length) }
            }
        }
        guard result == 0 else { return nil }
        return descriptor
    }

    /// What a Unix socket is bound to; empty for any other descriptor.
    private static func name(of descriptor: borrowing Descriptor) -> [UInt8] {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = descriptor.withRawValue { number in
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
            }
        }
        guard result == 0, address.sun_family == AF_UNIX, Int(length) > pathOffset else { return [] }
        return withUnsafeBytes(of: address.sun_path) { Array($0.prefix(Int(length) - pathOffset)) }
    }
}
