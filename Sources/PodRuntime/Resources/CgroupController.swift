import ClusterLayout
import Linux
import Retrying

/// Control groups of version 1 or 2.
struct CgroupController: ResourceController {
    private let cgroups: any ControlGroups

    init(_ cgroups: any ControlGroups) { self.cgroups = cgroups }

    var guardsDevices: Bool { cgroups.guardsDevices }

    func reserveForCluster() throws { try cgroups.reserve(from: allClustersGroup) }

    func create(_ group: ResourceGroup, limits: ResourceLimits) throws -> [String] {
        try cgroups.create(group.path)
        if let millis = limits.cpuMillis { try cgroups.setCPULimit(group.path, millis: millis) }
        if let request = limits.cpuRequestMillis {
            // The kernel's max.
            try cgroups.setCPUShares(group.path, min(request, 256_000) * 1024 / 1000)
        }
        if let bytes = limits.memory { try cgroups.setMemoryLimit(group.path, bytes: bytes) }
        if let count = limits.processes { try cgroups.setProcessLimit(group.path, count) }
        if let devices = limits.devices { try cgroups.allowDevices(group.path, devices) }
        return cgroups.joinFiles(group.path)
    }

    func createPod(_ pod: ResourceGroup, limits: ResourceLimits) throws -> [String] {
        let files = try create(pod, limits: limits)
        // The containers' groups are below the pod's, so its init may need a leaf of its own.
        guard cgroups.holdsProcessesInLeavesOnly else { return files }
        return try create(ResourceGroup(path: "\(pod.path)/init"), limits: ResourceLimits())
    }

    func processesFile(_ group: ResourceGroup) -> String? { cgroups.processesFile(group.path) }

    func directories(_ group: ResourceGroup) -> [String: String] { cgroups.directories(of: group.path) }

    func remove(_ group: ResourceGroup) async {
        // A dead process counts until it is reaped and its memory is given back, which the kernel does a little later.
        var backoff = Backoff(first: .milliseconds(2), max: .milliseconds(100))
        for _ in 0..<50 {
            if cgroups.remove(group.path) { return }
            try? await Task.sleep(for: backoff.next())
        }
    }

    func usage(_ group: ResourceGroup) -> ResourceUsage? {
        guard let cpu = cgroups.cpuUsage(group.path), let memory = cgroups.workingSet(group.path) else { return nil }
        return ResourceUsage(
            cpuNanoseconds: cpu, workingSet: memory, processes: cgroups.processCount(group.path) ?? 0)
    }

    func outOfMemoryKills(_ group: ResourceGroup) -> UInt64 { cgroups.outOfMemoryKills(group.path) ?? 0 }

    func processes(_ group: ResourceGroup) -> Set<Int32> { cgroups.processes(group.path) }
}
