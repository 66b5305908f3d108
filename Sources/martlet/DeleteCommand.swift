import ArgumentParser
import Supervisor

struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a cluster: its processes, its objects, its files, its context.")

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        let paths = try profile.paths
        try await ClusterEnd(paths).stop(gracefully: false)
        try Teardown(paths: paths, logger: Log.quiet).removeDirectories()
        try UserKubeconfig().remove(paths.profile)
        Console.print("Cluster \"\(paths.profile)\" is gone.")
    }
}
