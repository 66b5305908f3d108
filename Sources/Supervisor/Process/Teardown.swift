import ClusterLayout
import Glibc
import Linux
import Logging

/// Ends what is left of a cluster, whether or not its supervisor lives: by its pid files, its cgroups and its
/// directories.
public struct Teardown: Sendable {
    let paths: ClusterPaths
    let logger: Logger

    public init(paths: ClusterPaths, logger: Logger) {
        self.paths = paths
        self.logger = logger
    }

    /// Ends every process of the cluster and removes its cgroups and its runtime directory's contents.
    ///
    /// - Parameter gracefully: workloads are asked to end before they are made to.
    public func endProcesses(gracefully: Bool) async {
        let names = pidFiles()
        let order = ["node-agent-", "service-proxy", "control-plane", "egress", "node-holder-", "cluster"]
        for prefix in order {
            await withDiscardingTaskGroup { group in
                for name in names where name.hasPrefix(prefix) { group.addTask { await end(name) } }
            }
            if prefix == "node-agent-" {
                await PodProcesses(paths: paths).end(node: nil, gracefully: gracefully, logger: logger)
            }
        }
    }

    /// Ends one node's processes.
    func endNode(_ node: String, holder: String) async {
        await end("node-agent-\(node)")
        await PodProcesses(paths: paths).end(node: node, gracefully: false, logger: logger)
        await end(holder)
    }

    /// Removes all that the cluster has on disk. Its processes have ended.
    public func removeDirectories() throws {
        try Files.removeTree(paths.runtime)
        try Files.removeTree(paths.state)
        // The parents go with their last cluster; what others keep there makes these calls fail, which is right.
        rmdir(paths.runtimeParent)
        rmdir(paths.stateParent)
    }

    /// Whether any process of the cluster runs.
    public var isAnythingRunning: Bool {
        pidFiles().contains { name in process(name)?.isRunning ?? false }
    }

    private func process(_ name: String) -> ProcessIdentity? {
        (try? Files.text(paths.pidFile(name))).flatMap { $0 }.flatMap(ProcessIdentity.init(_:))
    }

    private func end(_ name: String) async {
        if let process = process(name), process.isRunning {
            // Holders ignore everything but SIGKILL; there is nothing in them to finish.
            let isHolder = name == "cluster" || name.hasPrefix("node-holder-")
            process.signal(isHolder ? SIGKILL : SIGTERM)
            let killer = Task {
                try await Task.sleep(for: .seconds(3))
                process.signal(SIGKILL)
            }
            await process.waitForEnd()
            killer.cancel()
            _ = ExitStatus.reap(process.pid)
            logger.info("ended \(name), pid \(process.pid)")
        }
        unlink(paths.pidFile(name))
    }

    private func pidFiles() -> [String] {
        Files.names(paths.runtime).filter { $0.hasSuffix(".pid") }.map { String($0.dropLast(4)) }
    }
}
