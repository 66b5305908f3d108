import ArgumentParser
import Glibc
import ImageStore
import Supervisor

/// The command line: one file a command. The roles of the cluster's own processes are hidden subcommands.
@main
struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "A Kubernetes cluster on one machine, as plain processes.",
        discussion: """
            martlet start brings a cluster up and points kubectl at it; martlet delete removes it without a trace.
            """,
        version: VersionCommand.text,
        subcommands: [
            StartCommand.self, StopCommand.self, DeleteCommand.self, ListCommand.self, StatusCommand.self,
            NodeCommand.self, PsCommand.self, LogsCommand.self, KubeconfigCommand.self, DoctorCommand.self,
            VersionCommand.self,
            CompletionCommand.self, ImageCommand.self, SupervisorCommand.self, ControlPlaneCommand.self,
            ServiceProxyCommand.self, NodeAgentCommand.self, UnpackLayerCommand.self,
        ])

    static func main() async {
        // What this program and its children make is this user's alone; what others are to reach has its mode set.
        umask(0o077)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as any Error & CustomStringConvertible where error is SupervisorError || error is ImageError {
            Console.error(error.description)
            Glibc.exit(1)
        } catch {
            exit(withError: error)
        }
    }
}
