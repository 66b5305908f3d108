/// Where a node keeps its state, and where its agent is reached.
public struct NodePaths: Sendable, Hashable {
    public let name: String
    /// The cluster's directories, as in `ClusterPaths`.
    public let state: String
    public let runtime: String

    public init(name: String, state: String, runtime: String) {
        self.name = name
        self.state = state
        self.runtime = runtime
    }

    public var directory: String { "\(state)/nodes/\(name)" }
    public var pods: String { "\(directory)/pods" }
    /// What may never reach a disk: a memory filesystem that the node's agent mounts, with a directory a pod.
    public var memory: String { "\(directory)/memory" }
    public var podLogs: String { "\(directory)/log/pods" }
    /// Of `Localhost` seccomp profiles.
    public var seccomp: String { "\(directory)/seccomp" }
    /// The node's control group, with those of its pods below it.
    public var controlGroup: String { "\(clusterGroup(stateDirectory: state))/\(name)" }
    /// Where the API server asks the node's agent for streams.
    public var socket: String { Self.socket(of: name, in: runtime) }

    public static func socket(of node: String, in runtime: String) -> String { "\(runtime)/node-\(node).sock" }

    public func pod(_ uid: String) -> String { "\(pods)/\(uid)" }
}
