import Glibc

/// Control groups of either version (cgroups(7)), named by paths such as `martlet/default/node-1`.
///
/// What the machine lacks a controller for is neither limited nor measured. Reading answers nil for a group that is
/// gone.
public protocol ControlGroups: Sendable {
    /// Whether a group that has groups below it can have no processes of its own.
    var holdsProcessesInLeavesOnly: Bool { get }
    /// Makes a group and those above it.
    func create(_ group: String) throws(SystemError)
    /// A group's directories, by the names that they have below `/sys/fs/cgroup`; "" for the place itself.
    func directories(of group: String) -> [String: String]
    /// The files by which a process that has one thread joins a group: it writes 0 to each.
    func joinFiles(_ group: String) -> [String]
    /// A file that lists the processes of a group, without those of the groups below it.
    func processesFile(_ group: String) -> String
    /// At most so many thousandths of a core; nil for no limit.
    func setCPULimit(_ group: String, millis: Int?) throws(SystemError)
    /// The share of the CPU when it is short: 1024 for a core.
    func setCPUShares(_ group: String, _ shares: Int) throws(SystemError)
    /// At most so many bytes, swap included; nil for no limit.
    func setMemoryLimit(_ group: String, bytes: Int?) throws(SystemError)
    /// At most so many processes and threads; nil for no limit.
    func setProcessLimit(_ group: String, _ count: Int?) throws(SystemError)
    /// Leaves so much of the machine to what runs beside the group and is needed to manage it.
    func reserve(from group: String) throws(SystemError)
    /// Whether `allowDevices` has an effect here.
    var guardsDevices: Bool { get }
    /// The processes of a group, in which none is yet, may use only these devices.
    func allowDevices(_ group: String, _ rules: [DeviceRule]) throws(SystemError)
    /// CPU time used by a group and those below it, in nanoseconds.
    func cpuUsage(_ group: String) -> UInt64?
    /// Memory in use without what can be reclaimed at once (inactive file cache), in bytes.
    func workingSet(_ group: String) -> UInt64?
    func processCount(_ group: String) -> UInt64?
    /// How many processes of the group the kernel has killed for want of memory.
    func outOfMemoryKills(_ group: String) -> UInt64?
    /// The processes in a group and those below it.
    func processes(_ group: String) -> Set<Int32>
    /// Removes a group and those below it. A group with processes stays.
    ///
    /// - Returns: whether all is gone.
    @discardableResult
    func remove(_ group: String) -> Bool
}

/// A limit in thousandths of a core, or nil where it is above what any machine has: the kernel refuses quotas of more
/// than 2^44 microseconds.
func effectiveCPULimit(_ millis: Int?) -> Int? { millis.flatMap { $0 > 100_000_000 ? nil : $0 } }

/// A group's directory, as it is in a hierarchy of either version.
package struct ControlGroupDirectory {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// Removes the group and those below it. A group with processes stays.
    ///
    /// - Returns: whether all is gone.
    package func remove() -> Bool {
        if rmdir(path) == 0 || errno == ENOENT { return true }
        for directory in subdirectories { _ = directory.remove() }
        return rmdir(path) == 0 || errno == ENOENT
    }

    /// Kills all processes of the group and those below it, also those that are just being made, where the kernel can.
    /// Where it cannot, they make no others any more, as far as processes are counted here: a group for good, which is to
    /// be removed.
    package func kill() {
        // Version 2, Linux 5.14.
        if (try? writeControl("\(path)/cgroup.kill", "1")) != nil { return }
        try? writeControl("\(path)/pids.max", "0")
    }

    /// Those in the group and those below it.
    package func collectProcesses(into result: inout Set<Int32>) {
        guard let text = try? readFile("\(path)/cgroup.procs") else { return }
        for line in text.split(separator: "\n") { if let pid = Int32(line) { result.insert(pid) } }
        for directory in subdirectories { directory.collectProcesses(into: &result) }
    }

    /// The content of a file with one number.
    func number(in file: String) -> UInt64? {
        (try? readFile("\(path)/\(file)")).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    /// A value of a file with a name and a number in each line.
    func field(_ name: String, in file: String) -> UInt64? {
        for line in (try? readFile("\(path)/\(file)"))?.split(separator: "\n") ?? [] {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == name { return UInt64(parts[1]) }
        }
        return nil
    }

    package var subdirectories: [ControlGroupDirectory] {
        ((try? directoriesInDirectory(path)) ?? []).map { ControlGroupDirectory("\(path)/\($0)") }
    }
}
