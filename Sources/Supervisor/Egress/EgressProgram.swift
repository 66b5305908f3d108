import Addresses
import Glibc
import Linux
import Networking

/// A program that carries connections between the cluster's link to the outside and sockets of the host: what the
/// machine has of such. It needs nothing of the host's network but what any program has.
struct EgressProgram: Sendable, Hashable {
    let name: String
    let path: String

    /// Those that are known, the best first. Debian 12's pasta is second: connections that are refused outside take it
    /// until the client gives up, it cannot do without CAP_SYS_ADMIN, and it uses seven times the memory.
    static let known = ["slirp4netns", "pasta"]
    /// Names the one to take.
    static let variable = "MARTLET_EGRESS_PROGRAM"

    static let remedy = "apt-get install slirp4netns, or passt"

    /// The first of `names` that is installed; nil where none is.
    static func find(
        _ names: [String] = wanted, path: String = getenv("PATH").map { String(cString: $0) } ?? ""
    ) -> EgressProgram? {
        // Where Debian has them, whatever the caller's PATH leaves out.
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin"]
        for name in names {
            if let directory = directories.first(where: { access("\($0)/\(name)", X_OK) == 0 }) {
                return EgressProgram(name: name, path: "\(directory)/\(name)")
            }
        }
        return nil
    }

    private static var wanted: [String] {
        guard let name = getenv(variable).map({ String(cString: $0) }), known.contains(name) else { return known }
        return [name]
    }

    /// The command that serves the link in the network namespace which is its standard input.
    func arguments(_ mode: EgressMode) -> [String] {
        let namespace = "/proc/self/fd/0"
        let mtu = "\(RouteRequest.virtualMTU)"
        let isHostClosed = mode != .host
        switch name {
        case "pasta":
            // It would drop to a user that cannot enter the namespace. Nothing is forwarded inwards, and the loopback
            // of the cluster is its own.
            return [
                path, "--foreground", "--quiet", "--runas", "0", "--ns-ifname", AddressPlan.egressLink,
                "--ipv4-only", "--address", AddressPlan.egressAddress.description, "--netmask",
                AddressPlan.egress.prefix.description, "--gateway", AddressPlan.host.description, "--mtu", mtu,
                "--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none", "--no-dhcp",
            ] + (isHostClosed ? ["--no-map-gw"] : []) + ["--netns", namespace]
        default:
            return [
                path, "--netns-type=path", "--cidr=\(AddressPlan.egress)", "--mtu=\(mtu)", "--disable-dns",
                "--enable-sandbox", "--enable-seccomp",
            ] + (isHostClosed ? ["--disable-host-loopback"] : []) + [namespace, AddressPlan.egressLink]
        }
    }
}
