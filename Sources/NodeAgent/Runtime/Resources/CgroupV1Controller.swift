import Linux

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

    public func folders(_ group: ResourceGroup) -> [String: String] {
        cgroups.roots.mapValues { "\($0)/\(group.path)" }
    }

    public func remove(_ group: ResourceGroup) async {
        // A dead process counts until it is reaped and its memory is given back, which the kernel does a little later.
        for attempt in 0..<50 {
            if cgroups.remove(group.path) { return }
            try? await Task.sleep(for: .milliseconds(min(2 << attempt, 100)))
        }
    }

    public func createPod(_ pod: ResourceGroup, limits: ResourceLimits) throws -> [String] {
        try create(pod, limits: limits)
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
