import Glibc

/// The hierarchies of version 1 of control groups (cgroups(7)), also where version 2 is mounted beside them (hybrid).
///
/// Groups are named by a path such as `martlet/default/node-1`, below the group that this process is in.
public struct CgroupV1: Sendable {
    /// Controller → the folder that this process's group is in. Without controllers that are missing.
    public let roots: [String: String]
    /// The hierarchies, each once: several controllers may share one.
    private let folders: [String]

    public static let controllers = ["cpu", "cpuacct", "memory", "pids"]

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
                let folder = path == "/" || path.isEmpty ? mountPoint : mountPoint + path
                if access(folder, W_OK) == 0 { roots[controller] = folder }
            }
        }
        for (controller, folder) in remembered where access(folder, W_OK) == 0 { roots[controller] = folder }
        guard !roots.isEmpty else { return nil }
        self.roots = roots
        folders = Set(roots.values).sorted()
    }

    /// The folder of a group in a controller's hierarchy; nil where the machine lacks the controller.
    public func folder(_ controller: String, _ group: String) -> String? { roots[controller].map { "\($0)/\(group)" } }

    /// Makes a group, and those above it, in all hierarchies.
    public func create(_ group: String) throws(SystemError) {
        for folder in folders { try makeFolder("\(folder)/\(group)") }
    }

    /// The files that take the number of a process that joins a group.
    public func joinFiles(_ group: String) -> [String] { folders.map { "\($0)/\(group)/cgroup.procs" } }

    /// At most so many thousandths of a core; nil for no limit.
    public func setCPULimit(_ group: String, millis: Int?) throws(SystemError) {
        guard let folder = folder("cpu", group) else { return }
        let period = 100_000
        try writeControl("\(folder)/cpu.cfs_period_us", "\(period)")
        let quota = millis.map { max(1000, period * $0 / 1000) } ?? -1
        try writeControl("\(folder)/cpu.cfs_quota_us", "\(quota)")
    }

    /// The share of the CPU when it is short: 1024 for a core.
    public func setCPUShares(_ group: String, _ shares: Int) throws(SystemError) {
        guard let folder = folder("cpu", group) else { return }
        try writeControl("\(folder)/cpu.shares", "\(min(max(shares, 2), 262_144))")
    }

    /// At most so many bytes, swap included; nil for no limit.
    public func setMemoryLimit(_ group: String, bytes: Int?) throws(SystemError) {
        guard let folder = folder("memory", group) else { return }
        let value = "\(bytes ?? -1)"
        let both = "\(folder)/memory.memsw.limit_in_bytes"
        // The limit with swap may never be below the one without: which goes first depends on the direction.
        if access(both, W_OK) == 0, bytes == nil { try writeControl(both, value) }
        try writeControl("\(folder)/memory.limit_in_bytes", value)
        if access(both, W_OK) == 0, bytes != nil { try? writeControl(both, value) }
    }

    /// At most so many processes and threads; nil for no limit.
    public func setProcessLimit(_ group: String, _ count: Int?) throws(SystemError) {
        guard let folder = folder("pids", group) else { return }
        try writeControl("\(folder)/pids.max", count.map { "\($0)" } ?? "max")
    }

    /// CPU time used by a group and those below it, in nanoseconds.
    public func cpuUsage(_ group: String) -> UInt64? { number("cpuacct", group, "cpuacct.usage") }

    /// Memory in use without what can be reclaimed at once (inactive file cache), in bytes.
    public func workingSet(_ group: String) -> UInt64? {
        guard let used = number("memory", group, "memory.usage_in_bytes"), let folder = folder("memory", group) else {
            return nil
        }
        let inactive = Self.field("total_inactive_file", of: "\(folder)/memory.stat") ?? 0
        return used > inactive ? used - inactive : 0
    }

    public func processCount(_ group: String) -> UInt64? { number("pids", group, "pids.current") }

    /// How many processes of this very group the kernel has killed for want of memory.
    public func outOfMemoryKills(_ group: String) -> UInt64? {
        folder("memory", group).flatMap { Self.field("oom_kill", of: "\($0)/memory.oom_control") }
    }

    /// The processes in a group and those below it, in any hierarchy.
    public func processes(_ group: String) -> Set<Int32> {
        var result: Set<Int32> = []
        for folder in folders { Self.collect("\(folder)/\(group)", &result) }
        return result
    }

    /// Removes a group and those below it. A group with processes stays.
    ///
    /// - Returns: whether all is gone.
    @discardableResult
    public func remove(_ group: String) -> Bool {
        var gone = true
        for folder in folders where !Self.removeFolder("\(folder)/\(group)") { gone = false }
        return gone
    }

    static func removeFolder(_ folder: String) -> Bool {
        if rmdir(folder) == 0 || errno == ENOENT { return true }
        for name in subfolders(folder) { _ = removeFolder("\(folder)/\(name)") }
        return rmdir(folder) == 0 || errno == ENOENT
    }

    static func collect(_ folder: String, _ result: inout Set<Int32>) {
        guard let text = try? readFile("\(folder)/cgroup.procs") else { return }
        for line in text.split(separator: "\n") { if let pid = Int32(line) { result.insert(pid) } }
        for name in subfolders(folder) { collect("\(folder)/\(name)", &result) }
    }

    static func subfolders(_ folder: String) -> [String] {
        // In a hierarchy everything with a dot is a control file, and so are three without.
        let names = (try? listFolder(folder)) ?? []
        return names.filter { name in
            var status = stat()
            return lstat("\(folder)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }

    private func number(_ controller: String, _ group: String, _ file: String) -> UInt64? {
        guard let folder = folder(controller, group), let text = try? readFile("\(folder)/\(file)") else { return nil }
        return UInt64(text.prefix { $0.isNumber })
    }

    static func field(_ name: String, of path: String) -> UInt64? {
        for line in (try? readFile(path))?.split(separator: "\n") ?? [] {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == name { return UInt64(parts[1]) }
        }
        return nil
    }
}
