import APIClient
import ArgumentParser
import ClusterLayout
import KubernetesModel
import Supervisor

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "List, add, remove, stop and start a cluster's nodes.",
        subcommands: [
            NodeListCommand.self, NodeAddCommand.self, NodeRemoveCommand.self, NodeStopCommand.self,
            NodeStartCommand.self,
        ])
}

struct NodeListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the nodes.")

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        let paths = try profile.paths
        guard let configuration = try ClusterConfiguration.load(paths.configuration) else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        let rows = configuration.nodes.map { node in
            [
                node.name, node.stopped ? "Stopped" : "Running", node.shape.capacity["cpu"] ?? "",
                node.shape.capacity["memory"] ?? "", node.shape.zone ?? "-",
            ]
        }
        Console.table([["NAME", "STATE", "CPU", "MEMORY", "ZONE"]] + rows)
    }
}

struct NodeAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Add a node.")

    @OptionGroup var profile: ProfileOptions

    @Argument(help: "Its name; the next node-N where none is given.")
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Its capacity, labels, taints and zone: a file, or the name of one that came with martlet, such as large.",
            valueName: "file|name"),
        completion: .file(extensions: ["yaml", "yml"]))
    var nodeShape: String?

    func run() async throws {
        var request: JSON = ["op": "node-add"]
        if let name { request["name"] = .string(name) }
        if let nodeShape { request["shape"] = try NodeShapeFile.read(nodeShape).json }
        let answer = try await NodeChange(profile, "add").make(request)
        Console.print("Node \"\(answer["name"].string ?? "")\" is Ready.")
    }
}

struct NodeRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a node and what runs on it. Drain it first to move that elsewhere.")

    @OptionGroup var profile: ProfileOptions

    @Argument var name: String

    func run() async throws {
        let (paths, name) = (try profile.paths, name)
        try await NodeChange(profile, "remove").make(["op": "node-remove", "name": .string(name)]) {
            let client = try HTTPSClient(Kubeconfig(path: paths.pki.kubeconfig("admin")))
            // It may have been deleted by hand.
            _ = try await ignoringNotFound { try await client.delete(.nodes, ObjectKey(name: name)) }
            await client.shutdown()
        }
        Console.print("Node \"\(name)\" is gone.")
    }
}

struct NodeStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Switch a node off, as a machine that loses power.")

    @OptionGroup var profile: ProfileOptions

    @Argument var name: String

    func run() async throws {
        try await NodeChange(profile, "stop").make(["op": "node-stop", "name": .string(name)])
        Console.print("Node \"\(name)\" is off.")
    }
}

struct NodeStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Switch a node on again.")

    @OptionGroup var profile: ProfileOptions

    @Argument var name: String

    func run() async throws {
        try await NodeChange(profile, "start").make(["op": "node-start", "name": .string(name)])
        Console.print("Node \"\(name)\" is Ready.")
    }
}

/// A change of the nodes: asked of the supervisor while no other command changes the cluster.
struct NodeChange {
    private let paths: ClusterPaths
    private let command: String

    init(_ profile: ProfileOptions, _ command: String) throws {
        paths = try profile.paths
        self.command = "node \(command)"
    }

    /// - Parameter finish: what else belongs to the change.
    /// - Returns: the supervisor's answer.
    @discardableResult
    func make(
        _ request: JSON, finish: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> JSON {
        try await Launch(paths, waiting: Console.notice).changing(for: command) { connection in
            let answer = try await connection.request(request).answer
            try await finish()
            return answer
        }
    }
}
