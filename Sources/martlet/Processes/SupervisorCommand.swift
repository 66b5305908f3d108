import ArgumentParser
import Glibc
import Logging
import Supervisor

struct SupervisorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervisor", abstract: "Run a cluster's processes; a good service of Type=notify.",
        shouldDisplay: false)

    @OptionGroup var profile: ProfileOptions

    @Option(help: "The descriptor of the profile's lock, which the starting command holds.")
    var lockDescriptor: Int32?

    func run() async throws {
        do {
            let paths = try profile.paths
            let lock = try lockDescriptor.map { try ProfileLock(inherited: $0, paths) }
            try await Supervisor(paths: paths, profileLock: lock, logger: Logger(label: "supervisor")).run()
        } catch {
            Launch.announceFailure(error)
            Console.error(String(describing: error))
            Glibc.exit(1)
        }
    }
}
