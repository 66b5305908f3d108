import ArgumentParser
import KubernetesModel

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Option(name: [.short, .long], help: "How to print it.")
    var output = OutputFormat.table

    func run() {
        switch output {
        case .table: Console.print("martlet \(Version.martlet) (Kubernetes \(Version.kubernetes))")
        case .json:
            let json: JSON = ["martlet": .string(Version.martlet), "kubernetes": .string(Version.kubernetes)]
            Console.print(json)
        }
    }
}
