import KubernetesModel
import Linux

/// Limits and measures what pods and containers use, in a tree as Kubernetes has it: node / QoS class / pod /
/// container. One driver a mechanism of the kernel.
///
/// All calls return after some file operations on a memory filesystem; groups that are gone are no error.
package protocol ResourceController: Sendable {
    /// Makes a group, with limits, and those above it. Asking again changes the limits.
    ///
    /// - Returns: the files that a process writes its number to, to join the group.
    func create(_ group: ResourceGroup, limits: ResourceLimits) throws -> [String]
    /// Makes a pod's group, with its limits.
    ///
    /// - Returns: the files by which the pod's init joins.
    func createPod(_ pod: ResourceGroup, limits: ResourceLimits) throws -> [String]
    /// A file that lists the processes of a group, and that one writes its number to, to join; "" where there is none.
    func joinFile(_ group: ResourceGroup) -> String
    /// Folders of a group that a container may see of itself below `/sys/fs/cgroup`, by their names there; "" for
    /// the place itself.
    func folders(_ group: ResourceGroup) -> [String: String]
    /// Removes a group and those below it once nothing runs there.
    func remove(_ group: ResourceGroup) async
    func usage(_ group: ResourceGroup) -> ResourceUsage?
    /// How many processes of the group the kernel has killed for want of memory.
    func outOfMemoryKills(_ group: ResourceGroup) -> UInt64
    /// What runs in a group and those below it.
    func processes(_ group: ResourceGroup) -> Set<Int32>
}

/// The best driver that the machine offers.
///
/// - Parameter nodeFolder: `<state>/nodes/<node>`, where the place of the groups is remembered: a later agent may be
///   started from another group.
package func resourceController(nodeFolder: String) -> any ResourceController {
    let file = "\(nodeFolder)/cgroups.json"
    let remembered = (try? readBytes(file)).flatMap { try? JSON(decoding: $0) }?.stringMap ?? [:]
    guard let cgroups = CgroupV1(remembered: remembered) else {
        return CgroupV2().map { CgroupController($0) } ?? NoResourceController()
    }
    try? makeFolder(nodeFolder)
    if cgroups.roots != remembered { try? replaceFile(file, JSON(cgroups.roots).encoded()) }
    return CgroupController(cgroups)
}

/// A place in the tree of resources of one node.
package struct ResourceGroup: Sendable, Hashable {
    /// `martlet/<cluster>/<node>` and what is below (`clusterGroup`).
    package let path: String

    /// - Parameter folder: the node's own, `<state>/nodes/<node>`.
    package static func node(folder: String) -> ResourceGroup {
        let parts = folder.split(separator: "/")
        let state = "/" + parts.dropLast(2).joined(separator: "/")
        return ResourceGroup(path: "\(clusterGroup(stateFolder: state))/\(parts.last ?? "")")
    }

    package func pod(_ uid: String, qosClass: String) -> ResourceGroup {
        // The kubelet puts Guaranteed pods beside the other two classes.
        ResourceGroup(path: qosClass == "Guaranteed" ? "\(path)/pod\(uid)" : "\(path)/\(qosClass)/pod\(uid)")
    }
    package func container(_ id: ContainerID) -> ResourceGroup {
        ResourceGroup(path: "\(path)/\(id.name)-\(id.restart)")
    }
}
