import Addresses
import ArgumentParser
import KubernetesModel
import Supervisor

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show whether a cluster runs, and its components.")

    @OptionGroup var profile: ProfileOptions

    @Option(name: [.short, .long], help: "How to print it.")
    var output = OutputFormat.table

    func run() async throws {
        let paths = try profile.paths
        guard try ClusterConfiguration.load(paths.configuration) != nil else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        let status = try await Launch(paths, waiting: Console.notice).connect().request(["op": "status"]).answer
        switch output {
        case .json: Console.print(status)
        case .table:
            Console.print("Cluster \"\(paths.profile)\" \(status["ready"].bool == true ? "is Ready" : "is not Ready")")
            Console.print("API: https://\(AddressPlan.loopback):\(status["apiPort"].int ?? 0)")
            let egress = status["egress"]
            let problem = egress["problem"].string.map { " is not there: \($0)" } ?? ""
            let open = status["listenAddresses"].strings.joined(separator: ", ")
            if !open.isEmpty { Console.print("Services are open to the network at \(open)") }
            Console.print("Egress: \(egress["mode"].string ?? "")\(problem)")
            Console.print("")
            let rows = status["components"].items.map { component in
                [
                    component["name"].string ?? "", component["state"].string ?? "",
                    component["pid"].int.map(String.init) ?? "-", String(component["restarts"].int ?? 0),
                    component["status"].string ?? "",
                ]
            }
            Console.table([["COMPONENT", "STATE", "PID", "RESTARTS", "STATUS"]] + rows)
        }
        if status["ready"].bool != true { throw ExitCode(1) }
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}
