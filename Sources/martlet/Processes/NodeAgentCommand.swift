import ArgumentParser
import NodeAgent
import Supervisor

struct NodeAgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node-agent", abstract: "Run one node's pods, within the node's network namespace.",
        shouldDisplay: false)

    @OptionGroup var profile: ProfileOptions

    @Option(help: "The node's name, as in cluster.json.")
    var node: String

    func run() async throws {
        let paths = try profile.paths
        guard let cluster = try ClusterConfiguration.load(paths.configuration),
            let entry = cluster.nodes.first(where: { $0.name == node })
        else {
            throw SupervisorError.usage(
                "\(paths.configuration) has no node \"\(node)\"; see: martlet node list --profile \(profile.name)")
        }
        var configuration = NodeAgentConfiguration(
            nodeName: node, index: entry.index, shape: entry.shape, clusterName: profile.name,
            stateDirectory: paths.state, runDirectory: paths.runtime, kubeconfig: paths.pki.kubeconfig("node-\(node)"),
            imageDirectory: paths.images, initPath: try Programs().initializer)
        configuration.loadBalancerOctet = cluster.loadBalancerOctet
        configuration.hiddenDirectories = [paths.stateParent, paths.runtimeParent]
        let settled = configuration
        // Pods go on when the agent ends.
        try await ClusterProcess.run("node-agent") { logger in
            try await NodeAgent(settled, logger: logger).run()
        }
    }
}
