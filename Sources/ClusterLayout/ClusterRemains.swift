import Glibc
import Linux
import Retrying

/// What a cluster's pods left behind when nothing of the cluster runs that knows of them.
///
/// Looks at the machine only, not at records, which may be damaged: at the cluster's control groups in all hierarchies
/// and at the inits of pods whose command line names the cluster's state directory.
public struct ClusterRemains: Sendable {
    private let stateDirectory: String

    public init(stateDirectory: String) { self.stateDirectory = stateDirectory }

    /// The processes of pods but for their inits.
    public func workloads(node: String? = nil) async -> Set<ProcessIdentity> {
        let group = group(node)
        return await Blocking.run {
            let all = Self.processes(in: Self.directories(of: group))
            return Set(all.filter { !Self.isInit($0) }.compactMap { ProcessIdentity(pid: $0) })
        }
    }

    /// Kills the pods' processes, of one node or of all, waits until they are gone, and removes their control groups.
    ///
    /// - Returns: the processes that were found.
    @discardableResult
    public func end(node: String? = nil) async -> Set<ProcessIdentity> {
        let (stateDirectory, group) = (stateDirectory, group(node))
        let directories = await Blocking.run { Self.directories(of: group) }
        // At once, so that none is faster in making others than this is in finding them.
        await Blocking.run { for directory in directories { ControlGroupDirectory(directory).kill() } }
        // What is in the groups first: a command line is a process's own memory, which the kernel does not let others
        // read while the process is being copied, so that among thousands that fork all the time it takes minutes.
        var found = await kill { Self.processes(in: directories) }
        found.formUnion(await kill { Self.inits(stateDirectory, node: node) })
        var backoff = Backoff(first: .milliseconds(1), max: .milliseconds(50))
        for _ in 0..<20 {
            let gone = await Blocking.run { directories.filter { !ControlGroupDirectory($0).remove() }.isEmpty }
            if gone { break }
            try? await Task.sleep(for: backoff.next())
        }
        // The directory of all clusters goes with the last one.
        if node == nil {
            for directory in directories {
                rmdir(String(directory[..<(directory.lastIndex(of: "/") ?? directory.endIndex)]))
            }
        }
        return found
    }

    /// Kills what `find` finds until that is nothing: a process may fork while the list is read.
    private func kill(_ find: @escaping @Sendable () -> Set<Int32>) async -> Set<ProcessIdentity> {
        var found: Set<ProcessIdentity> = []
        var backoff = Backoff(first: .milliseconds(1), max: .milliseconds(50))
        // Thousands take a while to end where the machine is busy with them.
        for _ in 0..<600 {
            let alive = await Blocking.run {
                Set(find().subtracting([getpid()]).compactMap { ProcessIdentity(pid: $0) })
            }
            if alive.isEmpty { break }
            found.formUnion(alive)
            await Blocking.run { for process in alive { process.signal(SIGKILL) } }
            try? await Task.sleep(for: backoff.next())
        }
        return found
    }

    private static func processes(in directories: [String]) -> Set<Int32> {
        directories.reduce(into: Set()) { ControlGroupDirectory($1).collectProcesses(into: &$0) }
    }

    /// Whether a process runs the program of inits, from its file or from memory.
    private static func isInit(_ pid: Int32) -> Bool {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/\(pid)/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.contains("martlet-init")
    }

    private func group(_ node: String?) -> String {
        clusterGroup(stateDirectory: stateDirectory) + (node.map { "/\($0)" } ?? "")
    }

    /// The directories of a group in all mounted hierarchies, wherever in them it is: below the group that some earlier
    /// process of the cluster was in.
    private static func directories(of group: String) -> [String] {
        var result: [String] = []
        for line in (try? readFile("/proc/self/mountinfo"))?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 1,
                ["cgroup", "cgroup2"].contains(fields[dash + 1])
            else { continue }
            search(String(fields[4]), for: group, depth: 0, &result)
        }
        return result
    }

    private static func search(_ directory: String, for group: String, depth: Int, _ result: inout [String]) {
        if access("\(directory)/\(group)", F_OK) == 0 { result.append("\(directory)/\(group)") }
        guard depth < 8 else { return }
        for below in ControlGroupDirectory(directory).subdirectories where !below.path.hasSuffix("/martlet") {
            search(below.path, for: group, depth: depth + 1, &result)
        }
    }

    /// The inits of pods, by their command line: `martlet-init pod … --directory <state>/nodes/<node>/…`.
    private static func inits(_ stateDirectory: String, node: String?) -> Set<Int32> {
        let prefix = stateDirectory + "/nodes/" + (node.map { $0 + "/" } ?? "")
        var result: Set<Int32> = []
        for name in (try? listDirectory("/proc")) ?? [] {
            guard let pid = Int32(name), let text = try? readFile("/proc/\(pid)/cmdline") else { continue }
            let arguments = text.split(separator: "\0")
            guard arguments.count > 2, arguments[0].hasSuffix("martlet-init"), arguments[1] == "pod",
                arguments.contains(where: { $0.hasPrefix(prefix) })
            else { continue }
            result.insert(pid)
        }
        return result
    }
}
