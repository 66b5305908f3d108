/// ClusterLayout: what a cluster consists of on its machine: names, directories, the shapes of its nodes, and what its
/// pods leave there.
///
/// Supervisor and node agents share it, so that what one of them makes the other finds. It talks to no API.

import Glibc

/// Where a cluster keeps its state and its sockets.
public struct ClusterPaths: Sendable, Hashable {
    /// The profile's name, which is also the cluster's.
    public let profile: String
    /// The directory of all profiles' state.
    public let stateParent: String
    /// The directory of all profiles' sockets and pid files.
    public let runtimeParent: String

    public init(profile: String, stateParent: String, runtimeParent: String) {
        self.profile = profile
        self.stateParent = stateParent
        self.runtimeParent = runtimeParent
    }

    /// The paths of a profile for the present user.
    public init(ofProfile profile: String) {
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
    /// The images of the present user, which all profiles share.
    public static var userImages: String { "\(stateParent())/images" }
    public var configuration: String { "\(state)/cluster.json" }
    public var store: String { "\(state)/store.db" }
    public var logs: String { "\(state)/logs" }
    public var pki: PKIPaths { PKIPaths("\(state)/pki") }
    public var supervisorSocket: String { "\(runtime)/supervisor.sock" }
    public var notifySocket: String { "\(runtime)/notify.sock" }
    public var lock: String { "\(runtime)/supervisor.lock" }
    /// Beside the runtime directory, which comes and goes while the lock is held.
    public var profileLock: String { "\(runtimeParent)/\(profile).lock" }
    /// The state directory of a cluster that is being removed: no name of a profile.
    public var condemned: String { "\(stateParent)/.\(profile).deleted" }

    public func log(_ component: String) -> String { "\(logs)/\(component).log" }
    public func pidFile(_ component: String) -> String { "\(runtime)/\(component).pid" }
    public func node(_ name: String) -> NodePaths { NodePaths(name: name, state: state, runtime: runtime) }
}
