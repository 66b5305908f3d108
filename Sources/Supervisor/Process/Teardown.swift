import ClusterLayout
import Glibc
import Linux
import Logging

/// Ends what is left of a cluster, whether or not its supervisor lives: by its pid files, its cgroups and its
/// directories.
public struct Teardown: Sendable {
    let paths: ClusterPaths
    let logger: Logger

    /// - Parameter logger: none where a command does it, which speaks by its result.
    public init(
        paths: ClusterPaths, logger: Logger = Logger(label: "martlet", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.paths = paths
        self.logger = logger
    }

    /// Ends every process of the cluster and removes its cgroups and its runtime directory's contents.
    ///
    /// - Parameter gracefully: workloads are asked to end before they are made to.
    public func endProcesses(gracefully: Bool) async {
        let names = pidFiles()
        // The supervisor first: nothing may restart what is being ended.
        let order = [
            SupervisorLock.pidFile, "node-agent-", "service-proxy", "control-plane", "egress", "node-holder-",
            "cluster",
        ]
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
        try removeCondemned()
        // At once, under another name, so that there is a whole cluster or none, whenever this process dies.
        if rename(paths.state, paths.condemned) != 0 { try Files.removeTree(paths.state) }
        try removeCondemned()
        // The parents go with their last cluster; what others keep there makes these calls fail, which is right.
        rmdir(paths.runtimeParent)
        rmdir(paths.stateParent)
    }

    /// Removes what a removal that did not come to its end has left.
    func removeCondemned() throws { try Files.removeTree(paths.condemned) }

    /// Whether any process of the cluster runs.
    public var isAnythingRunning: Bool {
        pidFiles().contains { name in process(name)?.isRunning ?? false }
    }

    private func process(_ name: String) -> ProcessIdentity? {
        (try? Files.text(paths.pidFile(name))).flatMap { $0 }.flatMap(ProcessIdentity.init(_:))
    }

    private func end(_ name: String) async {
        if let process = process(name), process.isRunning {
            // The supervisor itself takes its cluster down.
            guard process.pid != getpid() else { return }
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
