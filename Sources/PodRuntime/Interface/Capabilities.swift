/// Linux capabilities by the names that a pod's `securityContext.capabilities` uses (capabilities(7)).
package struct Capabilities: Sendable, Hashable {
    package private(set) var mask: UInt64

    package static let all = Capabilities(mask: (1 << UInt64(names.count)) - 1)
    /// What container engines give by default.
    static let standard = Capabilities(
        mask: [
            "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE",
            "NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP",
        ].reduce(0) { $0 | bit($1) })

    package init(mask: UInt64) { self.mask = mask }

    /// False for an unknown name.
    package func contains(_ name: String) -> Bool { mask & Self.bit(name) != 0 }

    /// The default set with changes; `ALL` means each of them. Unknown names change nothing.
    init(adding: [String], dropping: [String]) {
        self = .standard
        if dropping.contains(where: { $0.uppercased() == "ALL" }) { mask = 0 }
        if adding.contains(where: { $0.uppercased() == "ALL" }) { mask = Self.all.mask }
        for name in adding { mask |= Self.bit(name) }
        for name in dropping { mask &= ~Self.bit(name) }
    }

    private static func bit(_ name: String) -> UInt64 {
        let upper = name.uppercased()
        let plain = upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
        return names.firstIndex(of: plain).map { 1 << UInt64($0) } ?? 0
    }

    /// In the kernel's order.
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]
}
