import PodRuntime

/// The paths that belong to one pod.
struct PodPaths: Sendable {
    let directory: String
    /// The pod's directory in memory.
    let memory: String
    let logs: String

    init(_ configuration: NodeAgentConfiguration, namespace: String, name: String, uid: String) {
        directory = "\(configuration.paths.pods)/\(uid)"
        memory = "\(configuration.paths.memory)/\(uid)"
        logs = "\(configuration.paths.podLogs)/\(namespace)_\(name)_\(uid)"
    }

    var address: String { "\(directory)/address" }
    var hosts: String { "\(directory)/etc-hosts" }
    var hostname: String { "\(directory)/hostname" }
    var resolver: String { "\(directory)/resolv.conf" }
    func volume(_ kind: String, _ name: String) -> String { "\(directory)/volumes/kubernetes.io~\(kind)/\(name)" }
    func memoryVolume(_ kind: String, _ name: String) -> String { "\(memory)/volumes/kubernetes.io~\(kind)/\(name)" }
    func container(_ name: String) -> String { "\(directory)/containers/\(name)" }
    func termination(_ id: ContainerID) -> String { "\(container(id.name))/\(id.restart).termination" }
    func log(_ id: ContainerID) -> String { "\(logs)/\(id.name)/\(id.restart).log" }
}
