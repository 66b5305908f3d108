/// What of the machine containers on its own root filesystem (the image `host`) do not see.
///
/// A pod there is root of a copy of the machine, and would read what root may read.
package struct HiddenPaths: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        /// Absolute; none is below another.
        package let path: String
        /// What of it is shown after all.
        package let shown: [String]
    }
    package let entries: [Entry]

    /// Where machines keep passwords, keys, tokens and what belongs to their users (docs/images.md).
    package static let standard: [String] =
        [
            "shadow", "shadow-", "gshadow", "gshadow-", "security/opasswd", "sudoers", "sudoers.d", "ssh",
            "ssl/private",
            "pki/tls/private", "letsencrypt", "krb5.keytab", "ipsec.secrets", "ipsec.d", "wireguard", "openvpn", "ppp",
            "wpa_supplicant", "NetworkManager/system-connections", "netplan", "kubernetes", "rancher", "docker",
        ].map { "/etc/\($0)" }
        + [
            "lib/docker", "lib/containerd", "lib/containers", "lib/kubelet", "lib/rancher", "lib/etcd", "lib/sss",
            "lib/private", "lib/systemd/credential.secret", "mail", "spool/mail", "spool/cron", "backups",
            "cache/debconf",
        ].map { "/var/\($0)" } + writable.keys

    /// Programs write there: they find these directories empty, with these permissions.
    private static let writable = ["/root": "700", "/home": "755", "/tmp": "1777", "/var/tmp": "1777"]

    /// - Parameters:
    ///   - always: what nobody can have shown: the state and sockets of clusters.
    ///   - hide: beside `standard`.
    ///   - show: a path that is not hidden, with all that is below it.
    package init(always: [String] = [], hide: [String] = standard, show: [String] = []) {
        let show = show.map(Self.normal)
        func isShown(_ path: String) -> Bool { show.contains { Self.contains($0, path) } }
        let hidden = Set(always.map(Self.normal) + hide.map(Self.normal).filter { !isShown($0) })
        let uppermost = hidden.filter { path in !hidden.contains { $0 != path && Self.contains($0, path) } }
        let never = always.map(Self.normal)
        entries = uppermost.sorted().map { path in
            Entry(
                path: path,
                shown: show.filter { shown in
                    Self.contains(path, shown)
                        && !never.contains { Self.contains($0, shown) || Self.contains(shown, $0) }
                }.sorted())
        }
    }

    /// The permissions of a directory that is empty and can be written; nil for one that cannot.
    package static func writableMode(_ path: String) -> String? { writable[path] }

    private static func normal(_ path: String) -> String {
        "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// Whether `path` is `above` or below it.
    private static func contains(_ above: String, _ path: String) -> Bool {
        path == above || path.hasPrefix(above + "/")
    }
}
