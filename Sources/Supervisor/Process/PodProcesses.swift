import ClusterLayout
import Glibc
import Linux
import Logging

/// The pods' processes of a cluster, found without its components.
struct PodProcesses {
    let paths: ClusterPaths

    /// How long workloads have to finish after SIGTERM where the cluster is stopped, not deleted.
    static let grace = Duration.seconds(2)

    /// Ends all pods, or those of one node, and removes their control groups.
    ///
    /// - Parameter gracefully: asks the workloads to end first.
    func end(node: String?, gracefully: Bool, logger: Logger) async {
        let remains = ClusterRemains(stateDirectory: paths.state)
        if gracefully {
            let workloads = await remains.workloads(node: node)
            for process in workloads { process.signal(SIGTERM) }
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try? await Task.sleep(for: Self.grace) }
                tasks.addTask { for process in workloads { await process.waitForEnd() } }
                await tasks.next()
                tasks.cancelAll()
                for process in workloads { process.signal(SIGKILL) }
            }
        }
        let found = await remains.end(node: node)
        if !found.isEmpty { logger.info("ended \(found.count) processes of pods") }
    }
}
