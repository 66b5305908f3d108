import Glibc

/// The hierarchy of version 2 of control groups (cgroups(7)), where it is the machine's only one.
///
/// Groups are named by a path such as `martlet/default/node-1`, below the root of what is mounted, or below the
/// cluster's scope for processes that systemd has put there (`Scope`): all else belongs to systemd then. Processes may
/// be in leaves only: the kernel gives no controllers to the children of a group that has processes itself.
public struct CgroupV2: ControlGroups {
    public let root: String
    /// Those that are enabled for groups below the root.
    public let controllers: Set<String>
    public var holdsProcessesInLeavesOnly: Bool { true }
    public var guardsDevices: Bool { devices != nil }
    /// Whether the kernel takes such programs from this process.
    public static var guardsDevices: Bool { (try? DeviceProgram(DeviceRule.standard)) != nil }
    /// What `DeviceRule.standard` says; nil where the kernel takes no such programs from this process.
    private let devices: DeviceProgram?

    public static let wanted = ["cpu", "memory", "pids"]

    /// The hierarchy of this machine; nil where there is none that can be written.
    ///
    /// - Parameter enabling: gives the controllers to the root's children, as far as that is allowed: not in a
    ///   container whose processes are in the root of what it sees. Else only looks which there are.
    public init?(enabling: Bool = true) {
        let root = Self.mountPoint.map { $0 + (Self.scope(of: Self.ownGroup) ?? "") }
        guard let root, access(root, W_OK) == 0, let offered = try? readFile("\(root)/cgroup.controllers") else {
            return nil
        }
        let present = Set(offered.split(whereSeparator: \.isWhitespace).map(String.init))
        for controller in Self.wanted where enabling && present.contains(controller) {
            try? writeControl("\(root)/cgroup.subtree_control", "+\(controller)")
        }
        let enabled = (try? readFile("\(root)/cgroup.subtree_control")) ?? ""
        let usable = enabling ? Set(enabled.split(whereSeparator: \.isWhitespace).map(String.init)) : present
        controllers = usable.intersection(Self.wanted)
        guard !controllers.isEmpty else { return nil }
        self.root = root
        devices = enabling ? try? DeviceProgram(DeviceRule.standard) : nil
    }

    /// Where the hierarchy is mounted.
    public static var mountPoint: String? {
        for line in (try? readFile("/proc/self/mountinfo"))?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: " ")
            if let dash = fields.firstIndex(of: "-"), fields.count > dash + 1, fields[dash + 1] == "cgroup2" {
                return String(fields[4])
            }
        }
        return nil
    }

    /// The group that this process is in, such as `/system.slice/ssh.service`.
    public static var ownGroup: String {
        let lines = (try? readFile("/proc/self/cgroup"))?.split(separator: "\n") ?? []
        return lines.first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) } ?? "/"
    }

    /// In a cluster's scope, the group of what runs the cluster.
    public static let controlLeaf = "control"

    /// The cluster's scope that a process is in, by the process's group; nil elsewhere, and in a pod.
    static func scope(of group: String) -> String? {
        let names = group.split(separator: "/")
        guard names.count >= 2, names[names.count - 1] == controlLeaf else { return nil }
        let scope = names[names.count - 2]
        guard scope.hasPrefix("martlet-"), scope.hasSuffix(".scope") else { return nil }
        return "/" + names.dropLast().joined(separator: "/")
    }

    public func directory(_ group: String) -> String { "\(root)/\(group)" }
    public func directories(of group: String) -> [String: String] { ["": directory(group)] }
    public func joinFiles(_ group: String) -> [String] { [processesFile(group)] }
    public func processesFile(_ group: String) -> String { "\(directory(group))/cgroup.procs" }

    /// Gives each group but the last controllers for its children.
    public func create(_ group: String) throws(SystemError) {
        // The group of all clusters goes with the last one.
        try againWhereGone { () throws(SystemError) in try createOnce(group) }
    }

    private func createOnce(_ group: String) throws(SystemError) {
        var path = root
        let names = group.split(separator: "/")
        for (index, name) in names.enumerated() {
            path += "/\(name)"
            // Containers of every user read them in /sys/fs/cgroup.
            if mkdir(path, 0o755) == 0 {
                chmod(path, 0o755)
            } else if errno != EEXIST {
                throw SystemError("mkdir", path)
            }
            guard index < names.count - 1 else { break }
            try writeControl("\(path)/cgroup.subtree_control", controllers.map { "+\($0)" }.joined(separator: " "))
        }
    }

    public func setCPULimit(_ group: String, millis: Int?) throws(SystemError) {
        guard controllers.contains("cpu") else { return }
        let quota = effectiveCPULimit(millis).map { "\(max(1000, 100 * $0))" } ?? "max"
        try writeControl("\(directory(group))/cpu.max", "\(quota) 100000")
    }

    /// Converts the shares of version 1 as container engines do.
    public func setCPUShares(_ group: String, _ shares: Int) throws(SystemError) {
        guard controllers.contains("cpu") else { return }
        let bounded = min(max(shares, 2), 262_144)
        try writeControl("\(directory(group))/cpu.weight", "\(1 + (bounded - 2) * 9999 / 262_142)")
    }

    public func setMemoryLimit(_ group: String, bytes: Int?) throws(SystemError) {
        guard controllers.contains("memory") else { return }
        try writeControl("\(directory(group))/memory.max", bytes.map(String.init) ?? "max")
        // Not there where the kernel does not account for swap.
        try? writeControl("\(directory(group))/memory.swap.max", bytes == nil ? "max" : "0")
    }

    public func setProcessLimit(_ group: String, _ count: Int?) throws(SystemError) {
        guard controllers.contains("pids") else { return }
        try writeControl("\(directory(group))/pids.max", count.map(String.init) ?? "max")
    }

    public func reserve(from group: String) throws(SystemError) {
        try create(group)
        if let total = MachineReserve.machineProcesses {
            try setProcessLimit(group, MachineReserve.processes(of: total))
        }
        if let total = MachineReserve.machineMemory, controllers.contains("memory") {
            try? writeControl("\(directory(group))/memory.max", "\(MachineReserve.memory(of: total))")
        }
        // In a scope, what runs the cluster has a group beside that of the workloads.
        if controllers.contains("cpu") { try? writeControl("\(root)/\(Self.controlLeaf)/cpu.weight", "10000") }
    }

    public func allowDevices(_ group: String, _ rules: [DeviceRule]) throws(SystemError) {
        guard let devices else { return }
        let program = rules == DeviceRule.standard ? devices : try DeviceProgram(rules)
        try program.attach(to: directory(group))
    }

    public func cpuUsage(_ group: String) -> UInt64? { at(group).field("usage_usec", in: "cpu.stat").map { $0 * 1000 } }

    public func workingSet(_ group: String) -> UInt64? {
        guard let used = at(group).number(in: "memory.current") else { return nil }
        let inactive = at(group).field("inactive_file", in: "memory.stat") ?? 0
        return used > inactive ? used - inactive : 0
    }

    public func processCount(_ group: String) -> UInt64? { at(group).number(in: "pids.current") }

    public func outOfMemoryKills(_ group: String) -> UInt64? { at(group).field("oom_kill", in: "memory.events") }

    public func processes(_ group: String) -> Set<Int32> {
        var result: Set<Int32> = []
        at(group).collectProcesses(into: &result)
        return result
    }

    @discardableResult
    public func remove(_ group: String) -> Bool { at(group).remove() }

    private func at(_ group: String) -> ControlGroupDirectory { ControlGroupDirectory(directory(group)) }
}
