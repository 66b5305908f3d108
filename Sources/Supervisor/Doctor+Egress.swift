import Glibc
import Linux
import Networking

extension Doctor {
    /// Whether pods can reach the outside, and how well.
    func egress() -> Finding {
        let consequence = "pods reach the cluster alone; names outside resolve"
        guard let program = EgressProgram.find() else {
            return Finding(
                "egress", .degraded, "neither \(EgressProgram.known.joined(separator: " nor ")) is installed",
                consequence: consequence, remedy: EgressProgram.remedy)
        }
        if access(TapDevice.device, R_OK | W_OK) != 0 {
            return Finding(
                "egress", .degraded, "\(program.name); \(TapDevice.device) cannot be opened", consequence: consequence,
                remedy: "modprobe tun; in a container: run it with --device \(TapDevice.device)")
        }
        guard Self.mayPing else {
            return Finding(
                "egress", .degraded, "\(program.name); net.ipv4.ping_group_range excludes group \(getegid())",
                consequence: "pods reach the outside, but their pings are not answered",
                remedy: "sysctl net.ipv4.ping_group_range=\"0 2147483647\", as Debian's systemd sets it")
        }
        return Finding("egress", .available, "\(program.name): \(program.path)")
    }

    /// Whether the kernel lets this process send ICMP echo requests by a socket that needs no privileges.
    private static var mayPing: Bool {
        let result = try? makeSocket(domain: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: Int32(IPPROTO_ICMP))
        return result != nil
    }
}
