/// Limits and measures what pods and containers use, in a tree as Kubernetes has it: node / QoS class / pod /
/// container. One implementation a mechanism of the kernel (`ResourceDriver`).
///
/// All calls return after some file operations on a memory filesystem; groups that are gone are no error.
package protocol ResourceController: Sendable {
    /// Makes a group, with limits, and those above it. Asking again changes the limits.
    ///
    /// - Returns: the files that a process with one thread writes 0 to, to join the group.
    func create(_ group: ResourceGroup, limits: ResourceLimits) throws -> [String]
    /// Leaves so much of the machine to the cluster's own processes that they can do their work whatever pods do.
    func reserveForCluster() throws
    /// Whether a container can be kept from the machine's devices.
    var guardsDevices: Bool { get }
    /// Makes a pod's group, with its limits.
    ///
    /// - Returns: the files by which the pod's init joins.
    func createPod(_ pod: ResourceGroup, limits: ResourceLimits) throws -> [String]
    /// A file that lists the processes of a group; nil where there is none.
    func processesFile(_ group: ResourceGroup) -> String?
    /// A group's directories that its container sees below `/sys/fs/cgroup`, by their names there; "" for the place
    /// itself.
    func directories(_ group: ResourceGroup) -> [String: String]
    /// Removes a group and those below it once nothing runs there.
    func remove(_ group: ResourceGroup) async
    func usage(_ group: ResourceGroup) -> ResourceUsage?
    /// How many processes of the group the kernel has killed for want of memory.
    func outOfMemoryKills(_ group: ResourceGroup) -> UInt64
    /// What runs in a group and those below it.
    func processes(_ group: ResourceGroup) -> Set<Int32>
}
