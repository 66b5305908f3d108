import Glibc

/// The hierarchies of version 1 of control groups (cgroups(7)), also where version 2 is mounted beside them (hybrid).
///
/// Groups are named by a path such as `martlet/default/node-1`, below the group that this process is in.
public struct CgroupV1: ControlGroups {
    /// Controller → the directory that this process's group is in. Without controllers that are missing.
    public let roots: [String: String]
    public var holdsProcessesInLeavesOnly: Bool { false }
    /// The hierarchies, each once: several controllers may share one.
    private let directories: [String]

    public static let controllers = ["cpu", "cpuacct", "memory", "pids", "devices"]

    /// The hierarchies of this machine; nil where version 1 is not mounted or not writable.
    ///
    /// - Parameter remembered: `roots` of an earlier process, which may have been in another group.
    public init?(remembered: [String: String] = [:]) {
        var own: [String: String] = [:]
        for line in (try? readFile("/proc/self/cgroup"))?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",") { own[String(controller)] = String(fields[2]) }
        }
        var roots: [String: String] = [:]
        for line in (try? readFile("/proc/self/mountinfo"))?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, fields[dash + 1] == "cgroup" else {
                continue
            }
            let (mountRoot, mountPoint) = (String(fields[3]), String(fields[4]))
            for option in fields[dash + 3].split(separator: ",") {
                let controller = String(option)
                guard Self.controllers.contains(controller), roots[controller] == nil, var path = own[controller] else {
                    continue
                }
                if mountRoot != "/" {
                    guard path.hasPrefix(mountRoot) else { continue }
                    path.removeFirst(mountRoot.utf8.count)
                }
                let directory = path == "/" || path.isEmpty ? mountPoint : mountPoint + path
                if access(directory, W_OK) == 0 { roots[controller] = directory }
            }
        }
        for (controller, directory) in remembered where access(directory, W_OK) == 0 { roots[controller] = directory }
        guard !roots.isEmpty else { return nil }
        self.roots = roots
        directories = Set(roots.values).sorted()
    }

    /// The directory of a group in a controller's hierarchy; nil where the machine lacks the controller.
    public func directory(_ controller: String, _ group: String) -> String? {
        roots[controller].map { "\($0)/\(group)" }
    }

    public func directories(of group: String) -> [String: String] { roots.mapValues { "\($0)/\(group)" } }

    public func create(_ group: String) throws(SystemError) {
        // Containers of every user read them in /sys/fs/cgroup.
        for directory in directories { try makeDirectory("\(directory)/\(group)", exactly: 0o755) }
    }

    /// Not `cgroup.procs`: before a whole process moves, the kernel waits until no thread of the machine forks or ends,
    /// up to 20 ms. A thread that moves itself waits for nobody.
    public func joinFiles(_ group: String) -> [String] { directories.map { "\($0)/\(group)/tasks" } }
    public func processesFile(_ group: String) -> String { "\(directories[0])/\(group)/cgroup.procs" }

    public func setCPULimit(_ group: String, millis: Int?) throws(SystemError) {
        guard let directory = directory("cpu", group) else { return }
        let period = 100_000
        try writeControl("\(directory)/cpu.cfs_period_us", "\(period)")
        let quota = effectiveCPULimit(millis).map { max(1000, period * $0 / 1000) } ?? -1
        try writeControl("\(directory)/cpu.cfs_quota_us", "\(quota)")
    }

    public func setCPUShares(_ group: String, _ shares: Int) throws(SystemError) {
        guard let directory = directory("cpu", group) else { return }
        try writeControl("\(directory)/cpu.shares", "\(min(max(shares, 2), 262_144))")
    }

    /// At most so many bytes, swap included; nil for no limit.
    public func setMemoryLimit(_ group: String, bytes: Int?) throws(SystemError) {
        guard let directory = directory("memory", group) else { return }
        let value = "\(bytes ?? -1)"
        let both = "\(directory)/memory.memsw.limit_in_bytes"
        // The limit with swap may never be below the one without: which goes first depends on the direction.
        if access(both, W_OK) == 0, bytes == nil { try writeControl(both, value) }
        try writeControl("\(directory)/memory.limit_in_bytes", value)
        if access(both, W_OK) == 0, bytes != nil { try? writeControl(both, value) }
    }

    public func setProcessLimit(_ group: String, _ count: Int?) throws(SystemError) {
        guard let directory = directory("pids", group) else { return }
        try writeControl("\(directory)/pids.max", count.map { "\($0)" } ?? "max")
    }

    /// The share of the CPU is the group's as it is: beside it each single process counts as much as all of the group.
    public func reserve(from group: String) throws(SystemError) {
        try create(group)
        if let total = MachineReserve.machineProcesses {
            try setProcessLimit(group, MachineReserve.processes(of: total))
        }
        // Without swap, which is nobody's reserve. Less than is in use is refused; the next node asks for it again.
        if let total = MachineReserve.machineMemory, let directory = directory("memory", group) {
            try? writeControl("\(directory)/memory.limit_in_bytes", "\(MachineReserve.memory(of: total))")
        }
    }

    public var guardsDevices: Bool { roots["devices"] != nil }

    public func allowDevices(_ group: String, _ rules: [DeviceRule]) throws(SystemError) {
        guard let directory = directory("devices", group) else { return }
        try writeControl("\(directory)/devices.deny", "a")
        let path = "\(directory)/devices.allow"
        let file = try Descriptor.open(path, O_WRONLY)
        for rule in rules {
            do throws(SystemError) {
                try writeControl(file, path, rule.text)
            } catch  where error.errno == EPERM {
                // Not allowed to the group above, such as a container's that this cluster runs in.
                continue
            }
        }
    }

    public func cpuUsage(_ group: String) -> UInt64? { at("cpuacct", group)?.number(in: "cpuacct.usage") }

    public func workingSet(_ group: String) -> UInt64? {
        guard let directory = at("memory", group), let used = directory.number(in: "memory.usage_in_bytes") else {
            return nil
        }
        let inactive = directory.field("total_inactive_file", in: "memory.stat") ?? 0
        return used > inactive ? used - inactive : 0
    }

    public func processCount(_ group: String) -> UInt64? { at("pids", group)?.number(in: "pids.current") }

    public func outOfMemoryKills(_ group: String) -> UInt64? {
        at("memory", group)?.field("oom_kill", in: "memory.oom_control")
    }

    public func processes(_ group: String) -> Set<Int32> {
        var result: Set<Int32> = []
        for directory in directories { ControlGroupDirectory("\(directory)/\(group)").collectProcesses(into: &result) }
        return result
    }

    @discardableResult
    public func remove(_ group: String) -> Bool {
        var gone = true
        for directory in directories where !ControlGroupDirectory("\(directory)/\(group)").remove() { gone = false }
        return gone
    }

    private func at(_ controller: String, _ group: String) -> ControlGroupDirectory? {
        directory(controller, group).map(ControlGroupDirectory.init)
    }
}
