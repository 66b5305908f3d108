import ArgumentParser
import ClusterLayout
import Supervisor

struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a cluster: its processes, its objects, its files, its context.")

    @OptionGroup var profile: ProfileOptions

    @Flag(help: "Remove all of this user's clusters.")
    var all = false

    @Flag(help: ArgumentHelp("Only if the time that it was started for is over.", visibility: .hidden))
    var expired = false

    func validate() throws {
        if all, profile.isGiven { throw ValidationError("--all removes every cluster: leave out --profile") }
    }

    func run() async throws {
        if all { return try await Interruption.heeding { try await Self.deleteAll() } }
        let paths = try profile.paths
        let expired = expired
        try await Interruption.heeding {
            let end = ClusterEnd(paths, waiting: Console.notice)
            if expired {
                guard try await end.deleteIfExpired() else { return }
            } else {
                try await end.delete()
            }
            Console.print("Cluster \"\(paths.profile)\" is gone.")
        }
    }

    /// One that cannot be removed keeps none of the others.
    private static func deleteAll() async throws {
        var failures = 0
        let names = Profiles.names()
        if names.isEmpty { Console.print("There is no cluster.") }
        for name in names {
            do {
                try await ClusterEnd(try ClusterPaths(profile: name), waiting: Console.notice).delete()
                Console.print("Cluster \"\(name)\" is gone.")
            } catch let error as SupervisorError {
                failures += 1
                Console.error("cluster \"\(name)\": \(error)")
            }
        }
        if failures > 0 { throw ExitCode(1) }
    }
}
