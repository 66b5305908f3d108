import ArgumentParser
import Supervisor

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a cluster; martlet start brings its objects and workloads back.")

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        let paths = try profile.paths
        try await Interruption.heeding {
            try await ClusterEnd(paths, waiting: Console.notice).stop()
            Console.print("Cluster \"\(paths.profile)\" is stopped.")
        }
    }
}
