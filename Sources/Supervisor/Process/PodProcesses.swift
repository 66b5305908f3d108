import Glibc
import Linux
import Logging

/// The pods' processes of a cluster, found without its components: by its control groups, and by the command lines of
/// their inits for a machine without those.
struct PodProcesses {
    let paths: ClusterPaths

    /// How long workloads have to finish after SIGTERM where the cluster is stopped, not deleted.
    static let grace = Duration.seconds(2)

    /// Ends all pods, or those of one node, and removes their control groups.
    ///
    /// - Parameter gracefully: asks the workloads to end first.
    func end(node: String?, gracefully: Bool, logger: Logger) async {
        let group = "martlet/\(paths.profile)" + (node.map { "/\($0)" } ?? "")
        let cgroups = CgroupV1()
        if gracefully {
            let workloads = find(group, cgroups, node).filter { !Self.isInit($0) }
            for process in workloads { process.signal(SIGTERM) }
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try? await Task.sleep(for: Self.grace) }
                tasks.addTask { for process in workloads { await process.waitForEnd() } }
                await tasks.next()
                tasks.cancelAll()
                for process in workloads { process.signal(SIGKILL) }
            }
        }
        // What forks between the look and the kill is found by the next look.
        for _ in 0..<20 {
            let processes = find(group, cgroups, node)
            if processes.isEmpty { break }
            logger.info("ending \(processes.count) processes of pods")
            for process in processes { process.signal(SIGKILL) }
            for process in processes { await process.waitForEnd() }
        }
        for attempt in 0..<50 {
            guard let cgroups, !cgroups.remove(group) else { return }
            try? await Task.sleep(for: .milliseconds(min(2 << attempt, 100)))
        }
        logger.warning("the control group \(group) cannot be removed")
    }

    private func find(_ group: String, _ cgroups: CgroupV1?, _ node: String?) -> Set<ProcessIdentity> {
        var pids = cgroups?.processes(group) ?? []
        let place = node.map(paths.node) ?? paths.state
        for pid in Files.names("/proc").compactMap(pid_t.init) where isInit(pid, of: place) { pids.insert(pid) }
        return Set(pids.compactMap { ProcessIdentity(pid: $0) })
    }

    private func isInit(_ pid: pid_t, of place: String) -> Bool {
        guard let arguments = Self.arguments(pid), arguments.count > 2, arguments[0].hasSuffix("martlet-init") else {
            return false
        }
        return arguments[1] == "pod" && arguments.contains { $0.hasPrefix(place + "/") }
    }

    private static func isInit(_ process: ProcessIdentity) -> Bool {
        arguments(process.pid)?.first?.hasSuffix("martlet-init") ?? false
    }

    private static func arguments(_ pid: pid_t) -> [String]? {
        guard let bytes = try? Files.read("/proc/\(pid)/cmdline") else { return nil }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
