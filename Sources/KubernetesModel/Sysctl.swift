/// A kernel parameter that a pod sets (`securityContext.sysctls`), by its name.
public struct Sysctl: Sendable, Hashable {
    /// With dots, as `net.ipv4.tcp_syncookies`; where a part has a dot of its own it is a slash
    /// (`net.ipv4.conf.eth0/1.forwarding`).
    public let name: String

    /// The namespaces of a pod's own that hold parameters.
    public enum Namespace: Sendable { case ipc, network }

    /// Nil for what is no name of a kernel parameter. One that begins with slashes is turned to dots (sysctl.d(5)).
    public init?(_ text: String) {
        guard text.utf8.count <= Self.maxLength,
            text.wholeMatch(of: #/([a-z0-9]([-_a-z0-9]*[a-z0-9])?[.\/])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?/#) != nil
        else { return nil }
        name =
            text.first { $0 == "." || $0 == "/" } == "/"
            ? String(text.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 }) : text
    }

    public static let maxLength = 253

    /// Below `/proc/sys`.
    public var path: String { String(name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 }) }

    /// Nil for one that all of the machine has in common.
    public var namespace: Namespace? {
        if name.hasPrefix("net.") { return .network }
        let isIPC = ["kernel.shm", "kernel.msg", "fs.mqueue."].contains { name.hasPrefix($0) } || name == "kernel.sem"
        return isIPC ? .ipc : nil
    }

    /// Cannot harm another pod or the machine (the kubelet's list).
    public var isSafe: Bool { Self.safe.contains(name) }

    private static let safe: Set<String> = [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
    ]
}

/// A name of kernel parameters, or with `*` at its end all that begin so: of the kubelet's `allowedUnsafeSysctls`.
public struct SysctlPattern: Sendable, Hashable {
    public let text: String

    /// Nil for a name that is none, and for parameters that are not a pod's own.
    public init?(_ text: String) {
        let name = text.hasSuffix("*") ? String(text.dropLast()) : text
        let whole = name.hasSuffix(".") || name.hasSuffix("_") ? name + "x" : name
        guard let sysctl = Sysctl(whole), sysctl.namespace != nil else { return nil }
        self.text = text
    }

    public func matches(_ sysctl: Sysctl) -> Bool {
        text.hasSuffix("*") ? sysctl.name.hasPrefix(text.dropLast()) : sysctl.name == text
    }
}
