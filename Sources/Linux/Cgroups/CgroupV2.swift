import Glibc

/// The hierarchy of version 2 of control groups (cgroups(7)), where it is the machine's only one.
///
/// Groups are named by a path such as `martlet/default/node-1`, below the root of what is mounted, or below the cluster's
/// scope for processes that systemd has put there (`Scope`): all else belongs to systemd then. Processes may be in leaves
/// only: the kernel gives no controllers to the children of a group that has processes itself.
public struct CgroupV2: Sendable {
    public let root: String
    /// Those that are enabled for groups below the root.
    public let controllers: Set<String>

    public static let wanted = ["cpu", "memory", "pids"]

    /// The hierarchy of this machine; nil where there is none that can be written.
    ///
    /// - Parameter enabling: gives the controllers to the root's children, as far as that is allowed: not in a container
    ///   whose processes are in the root of what it sees. Else only looks which there are.
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

    public func folder(_ group: String) -> String { "\(root)/\(group)" }
    public func joinFile(_ group: String) -> String { "\(root)/\(group)/cgroup.procs" }

    /// Makes a group and those above it, each but the last with controllers for its children.
    public func create(_ group: String) throws(SystemError) {
        var path = root
        let names = group.split(separator: "/")
        for (index, name) in names.enumerated() {
            path += "/\(name)"
            if mkdir(path, 0o755) != 0, errno != EEXIST { throw SystemError("mkdir", path) }
            guard index < names.count - 1 else { break }
            try writeControl("\(path)/cgroup.subtree_control", controllers.map { "+\($0)" }.joined(separator: " "))
        }
    }

    /// At most so many thousandths of a core.
    public func setCPULimit(_ group: String, millis: Int) throws(SystemError) {
        guard controllers.contains("cpu") else { return }
        try writeControl("\(folder(group))/cpu.max", "\(max(1000, 100 * millis)) 100000")
    }

    /// The share of the CPU when it is short, from the shares of version 1 as container engines convert them.
    public func setCPUShares(_ group: String, _ shares: Int) throws(SystemError) {
        guard controllers.contains("cpu") else { return }
        let bounded = min(max(shares, 2), 262_144)
        try writeControl("\(folder(group))/cpu.weight", "\(1 + (bounded - 2) * 9999 / 262_142)")
    }

    /// At most so many bytes, and no swap.
    public func setMemoryLimit(_ group: String, bytes: Int) throws(SystemError) {
        guard controllers.contains("memory") else { return }
        try writeControl("\(folder(group))/memory.max", "\(bytes)")
        // Not there where the kernel does not account for swap.
        try? writeControl("\(folder(group))/memory.swap.max", "0")
    }

    /// At most so many processes and threads.
    public func setProcessLimit(_ group: String, _ count: Int) throws(SystemError) {
        guard controllers.contains("pids") else { return }
        try writeControl("\(folder(group))/pids.max", "\(count)")
    }

    /// CPU time used, in nanoseconds.
    public func cpuUsage(_ group: String) -> UInt64? {
        CgroupV1.field("usage_usec", of: "\(folder(group))/cpu.stat").map { $0 * 1000 }
    }

    /// Memory in use without what can be reclaimed at once (inactive file cache), in bytes.
    public func workingSet(_ group: String) -> UInt64? {
        guard let used = number(group, "memory.current") else { return nil }
        let inactive = CgroupV1.field("inactive_file", of: "\(folder(group))/memory.stat") ?? 0
        return used > inactive ? used - inactive : 0
    }

    public func processCount(_ group: String) -> UInt64? { number(group, "pids.current") }

    /// How many processes of the group the kernel has killed for want of memory.
    public func outOfMemoryKills(_ group: String) -> UInt64? {
        CgroupV1.field("oom_kill", of: "\(folder(group))/memory.events")
    }

    /// The processes in a group and those below it.
    public func processes(_ group: String) -> Set<Int32> {
        var result: Set<Int32> = []
        CgroupV1.collect(folder(group), &result)
        return result
    }

    /// Removes a group and those below it. A group with processes stays.
    ///
    /// - Returns: whether all is gone.
    @discardableResult
    public func remove(_ group: String) -> Bool { CgroupV1.removeFolder(folder(group)) }

    private func number(_ group: String, _ file: String) -> UInt64? {
        (try? readFile("\(folder(group))/\(file)")).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }
}
