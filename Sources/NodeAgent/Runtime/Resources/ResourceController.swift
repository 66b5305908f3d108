import Linux

/// Limits and measures what pods and containers use, in a tree as Kubernetes has it: node / QoS class / pod /
/// container. One driver a mechanism of the kernel.
///
/// All calls return after some file operations on a memory filesystem; groups that are gone are no error.
public protocol ResourceController: Sendable {
    /// Makes a group, with limits, and those above it. Asking again changes the limits.
    ///
    /// - Returns: the files that a process writes its number to, to join the group.
    func create(_ group: ResourceGroup, limits: ResourceLimits) throws -> [String]
    /// A file that lists the processes of a group, and that one writes its number to, to join; "" where there is none.
    func joinFile(_ group: ResourceGroup) -> String
    /// Removes a group and those below it once nothing runs there.
    func remove(_ group: ResourceGroup) async
    func usage(_ group: ResourceGroup) -> ResourceUsage?
    /// How many processes of the group the kernel has killed for want of memory.
    func outOfMemoryKills(_ group: ResourceGroup) -> UInt64
    /// What runs in a group and those below it.
    func processes(_ group: ResourceGroup) -> Set<Int32>
}

/// A place in the tree of resources of one node.
public struct ResourceGroup: Sendable, Hashable {
    /// `martlet/<cluster>/<node>` and what is below.
    public let path: String

    public static func cluster(_ cluster: String) -> ResourceGroup { ResourceGroup(path: "martlet/\(cluster)") }
    public static func node(_ node: String, cluster: String) -> ResourceGroup {
        ResourceGroup(path: "martlet/\(cluster)/\(node)")
    }
    public func pod(_ uid: String, qosClass: String) -> ResourceGroup {
        // The kubelet puts Guaranteed pods beside the other two classes.
        ResourceGroup(path: qosClass == "Guaranteed" ? "\(path)/pod\(uid)" : "\(path)/\(qosClass)/pod\(uid)")
    }
    public func container(_ id: ContainerID) -> ResourceGroup {
        ResourceGroup(path: "\(path)/\(id.name)-\(id.restart)")
    }
}

/// Control groups of version 1.
public struct CgroupV1Controller: ResourceController {
    private let cgroups: CgroupV1

    public init(_ cgroups: CgroupV1) { self.cgroups = cgroups }

    public func create(_ group: ResourceGroup, limits: ResourceLimits) throws -> [String] {
        try cgroups.create(group.path)
        if limits.cpuMillis != nil { try cgroups.setCPULimit(group.path, millis: limits.cpuMillis) }
        if let request = limits.cpuRequestMillis { try cgroups.setCPUShares(group.path, request * 1024 / 1000) }
        if limits.memory != nil { try cgroups.setMemoryLimit(group.path, bytes: limits.memory) }
        if limits.processes != nil { try cgroups.setProcessLimit(group.path, limits.processes) }
        return cgroups.joinFiles(group.path)
    }

    public func remove(_ group: ResourceGroup) async {
        // A dead process counts until it is reaped and its memory is given back, which the kernel does a little later.
        for attempt in 0..<50 {
            if cgroups.remove(group.path) { return }
            try? await Task.sleep(for: .milliseconds(min(2 << attempt, 100)))
        }
    }

    public func joinFile(_ group: ResourceGroup) -> String { cgroups.joinFiles(group.path).first ?? "" }

    public func usage(_ group: ResourceGroup) -> ResourceUsage? {
        guard let cpu = cgroups.cpuUsage(group.path), let memory = cgroups.workingSet(group.path) else { return nil }
        return ResourceUsage(
            cpuNanoseconds: cpu, workingSet: memory, processes: cgroups.processCount(group.path) ?? 0)
    }

    public func outOfMemoryKills(_ group: ResourceGroup) -> UInt64 { cgroups.outOfMemoryKills(group.path) ?? 0 }

    public func processes(_ group: ResourceGroup) -> Set<Int32> { cgroups.processes(group.path) }
}

/// Where the machine offers nothing: no limits, no figures.
public struct NoResourceController: ResourceController {
    public init() {}
    public func create(_ group: ResourceGroup, limits: ResourceLimits) -> [String] { [] }
    public func joinFile(_ group: ResourceGroup) -> String { "" }
    public func remove(_ group: ResourceGroup) async {}
    public func usage(_ group: ResourceGroup) -> ResourceUsage? { nil }
    public func outOfMemoryKills(_ group: ResourceGroup) -> UInt64 { 0 }
    public func processes(_ group: ResourceGroup) -> Set<Int32> { [] }
}
