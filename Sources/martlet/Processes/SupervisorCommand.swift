import ArgumentParser
import Glibc
import Logging
import Supervisor

struct SupervisorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervisor", abstract: "Run a cluster's processes; a good service of Type=notify.",
        shouldDisplay: false)

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        do {
            try await Supervisor(paths: try profile.paths, logger: Logger(label: "supervisor")).run()
        } catch {
            Launch.announceFailure(error)
            Console.error(String(describing: error))
            Glibc.exit(1)
        }
    }
}
