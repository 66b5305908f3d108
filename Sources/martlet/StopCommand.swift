import ArgumentParser
import ClusterLayout
import Logging
import Supervisor

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a cluster; martlet start brings its objects and workloads back.")

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        let paths = try profile.paths
        guard try ClusterConfiguration.load(paths.configuration) != nil else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        try await ClusterEnd(paths).stop(gracefully: true)
        Console.print("Cluster \"\(paths.profile)\" is stopped.")
    }
}

/// Ends a cluster's processes, by its supervisor where that lives.
struct ClusterEnd {
    let paths: ClusterPaths

    init(_ paths: ClusterPaths) { self.paths = paths }

    func stop(gracefully: Bool) async throws {
        if let connection = try? ControlConnection(paths) {
            _ = try await connection.request(["op": "stop", "gracefully": .bool(gracefully)])
            await connection.waitForEnd()
        }
        await Teardown(paths: paths, logger: Log.quiet).endProcesses(gracefully: gracefully)
    }
}

enum Log {
    /// For a command's own use of parts that log: it speaks by its result.
    static let quiet = Logger(label: "martlet", factory: { _ in SwiftLogNoOpLogHandler() })
}
