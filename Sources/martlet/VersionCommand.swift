import ArgumentParser
import KubernetesModel

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    static let text = "martlet \(Version.martlet) (Kubernetes \(Version.kubernetes))"

    @Option(name: [.short, .long], help: "How to print it.")
    var output = OutputFormat.table

    func run() {
        switch output {
        case .table: Console.print(Self.text)
        case .json:
            let json: JSON = ["martlet": .string(Version.martlet), "kubernetes": .string(Version.kubernetes)]
            Console.print(json)
        }
    }
}
