import PodRuntime

/// The paths that belong to one pod.
struct PodPaths: Sendable {
    let folder: String
    let logs: String

    init(_ configuration: NodeAgentConfiguration, namespace: String, name: String, uid: String) {
        folder = "\(configuration.paths.pods)/\(uid)"
        logs = "\(configuration.paths.podLogs)/\(namespace)_\(name)_\(uid)"
    }

    var address: String { "\(folder)/address" }
    var hosts: String { "\(folder)/etc-hosts" }
    var hostname: String { "\(folder)/hostname" }
    var resolver: String { "\(folder)/resolv.conf" }
    func volume(_ kind: String, _ name: String) -> String { "\(folder)/volumes/kubernetes.io~\(kind)/\(name)" }
    func container(_ name: String) -> String { "\(folder)/containers/\(name)" }
    func termination(_ id: ContainerID) -> String { "\(container(id.name))/\(id.restart).termination" }
    func log(_ id: ContainerID) -> String { "\(logs)/\(id.name)/\(id.restart).log" }
}
