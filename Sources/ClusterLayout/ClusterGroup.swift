/// The control group of all workloads of all clusters, below this process's own.
public let allClustersGroup = "martlet"

/// The name of a cluster's control group, below this process's own: `martlet/<profile>-<8 hex>`.
///
/// The digits are of the state directory: clusters of the same name with different state directories
/// (`MARTLET_STATE_HOME`) must not take each other's processes for their own.
public func clusterGroup(stateDirectory: String) -> String { "\(allClustersGroup)/\(clusterIdentity(stateDirectory))" }

/// The name of a cluster's unit in systemd: `martlet-<profile>-<8 hex>.scope`.
public func clusterScope(stateDirectory: String) -> String { "martlet-\(clusterIdentity(stateDirectory)).scope" }

private func clusterIdentity(_ stateDirectory: String) -> String {
    let path = stateDirectory.split(separator: "/")
    let digits = String(fingerprint("/" + path.joined(separator: "/")) & 0xffff_ffff, radix: 16)
    return "\(path.last ?? "")-\(String(repeating: "0", count: 8 - digits.count))\(digits)"
}

/// A short name for something with a long one: 64-bit FNV-1a.
public func fingerprint(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}
