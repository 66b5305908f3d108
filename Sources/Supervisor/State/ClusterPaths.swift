import Glibc

/// Where a cluster keeps its state and its sockets.
public struct ClusterPaths: Sendable, Hashable {
    /// The profile's name, which is also the cluster's.
    public let profile: String
    /// The state folder of all profiles.
    public let stateParent: String
    /// The folder of all profiles' sockets and pid files.
    public let runtimeParent: String

    public init(profile: String, stateParent: String, runtimeParent: String) {
        self.profile = profile
        self.stateParent = stateParent
        self.runtimeParent = runtimeParent
    }

    /// The paths of a profile for the present user.
    ///
    /// - Throws: `SupervisorError.usage` for a name that cannot be one.
    public init(profile: String) throws(SupervisorError) {
        let letters = profile.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard letters, (1...32).contains(profile.utf8.count), !profile.hasPrefix("-"), !profile.hasSuffix("-") else {
            throw .usage(
                "--profile \"\(profile)\": a profile's name has 1 to 32 lower-case letters, digits and inner dashes")
        }
        self.init(profile: profile, stateParent: Self.stateParent(), runtimeParent: Self.runtimeParent())
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    private static func stateParent() -> String {
        if let path = environment("MARTLET_STATE_HOME") { return path }
        if getuid() == 0 { return "/var/lib/martlet" }
        if let path = environment("XDG_STATE_HOME") { return path + "/martlet" }
        return (environment("HOME") ?? "/tmp") + "/.local/state/martlet"
    }

    private static func runtimeParent() -> String {
        if let path = environment("MARTLET_RUNTIME_DIR") { return path }
        if getuid() == 0 { return "/run/martlet" }
        if let path = environment("XDG_RUNTIME_DIR") { return path + "/martlet" }
        return "/tmp/martlet-\(getuid())"
    }

    public var state: String { "\(stateParent)/\(profile)" }
    public var runtime: String { "\(runtimeParent)/\(profile)" }
    public var images: String { "\(stateParent)/images" }
    public var configuration: String { "\(state)/cluster.json" }
    public var store: String { "\(state)/store.db" }
    public var logs: String { "\(state)/logs" }
    public var pki: String { "\(state)/pki" }
    public var supervisorSocket: String { "\(runtime)/supervisor.sock" }
    public var notifySocket: String { "\(runtime)/notify.sock" }
    public var lock: String { "\(runtime)/supervisor.lock" }

    public func log(_ component: String) -> String { "\(logs)/\(component).log" }
    public func pidFile(_ component: String) -> String { "\(runtime)/\(component).pid" }
    public func kubeconfig(_ user: String) -> String { "\(pki)/\(user).kubeconfig" }
    public func node(_ name: String) -> String { "\(state)/nodes/\(name)" }
    public func nodeSocket(_ name: String) -> String { "\(runtime)/node-\(name).sock" }
}
