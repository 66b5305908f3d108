import ArgumentParser
import Glibc
import Supervisor

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print a component's log, or name the components.",
        discussion: "Pods' logs are kubectl's: kubectl logs POD.")

    @OptionGroup var profile: ProfileOptions

    @Argument(help: "supervisor, control-plane, service-proxy or node-agent-NODE")
    var component: String?

    @Option(help: "Only the last lines.")
    var tail: Int?

    func run() async throws {
        let paths = try profile.paths
        guard let component else {
            for name in try ClusterLogs(paths).components() { Console.print(name) }
            return
        }
        let text = try ClusterLogs(paths).text(component)
        guard let tail else { return Console.write(text, to: STDOUT_FILENO) }
        for line in text.split(separator: "\n").suffix(max(0, tail)) { Console.print(String(line)) }
    }
}
