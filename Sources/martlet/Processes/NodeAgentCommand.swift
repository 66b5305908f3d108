import ArgumentParser
import NodeAgent
import Supervisor

struct NodeAgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node-agent", abstract: "Run a node of a cluster.", shouldDisplay: false)

    @OptionGroup var profile: ProfileOptions

    @Option var node: String

    func run() async throws {
        let paths = try profile.paths
        guard let cluster = try ClusterConfiguration.load(paths.configuration),
            let entry = cluster.nodes.first(where: { $0.name == node })
        else { throw SupervisorError.usage("cluster \"\(paths.profile)\" has no node \"\(node)\"") }
        let configuration = NodeAgentConfiguration(
            nodeName: node, index: entry.index, shape: entry.shape, clusterName: paths.profile,
            stateFolder: paths.state, runFolder: paths.runtime, kubeconfig: paths.kubeconfig("node-\(node)"),
            imageFolder: paths.images)
        try await Process.run("node-agent") { logger in
            let runtime = try SandboxRuntime(configuration, programs: Programs().initializer, logger: logger)
            try await NodeAgent(configuration, logger: logger).run(runtime: runtime)
        }
    }
}
