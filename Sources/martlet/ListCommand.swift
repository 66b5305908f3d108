import APIMachinery
import ArgumentParser
import KubernetesModel
import Supervisor

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List this user's clusters.", aliases: ["ls"])

    @Option(name: [.short, .long], help: "How to print it.")
    var output = OutputFormat.table

    func run() async throws {
        let profiles = await Profiles.list()
        switch output {
        case .json: Console.print(JSON.array(profiles.map(Self.json)))
        case .table:
            let now = Timestamp.now
            let rows = profiles.map { profile in
                [
                    profile.name, profile.state.rawValue, profile.nodes == 0 ? "-" : "\(profile.nodes)",
                    profile.created.map { Table.ago($0, now) } ?? "-",
                    profile.expires.map { $0 <= now ? "now" : "in \(Table.duration($0.since(now)))" } ?? "never",
                ]
            }
            Console.table([["PROFILE", "STATE", "NODES", "AGE", "EXPIRES"]] + rows)
        }
    }

    private static func json(_ profile: Profiles.Profile) -> JSON {
        [
            "name": .string(profile.name), "state": .string(profile.state.rawValue), "nodes": JSON(profile.nodes),
            "created": profile.created.map { JSON.string($0.description) } ?? .null,
            "expires": profile.expires.map { JSON.string($0.description) } ?? .null,
        ]
    }
}
