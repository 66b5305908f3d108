import ArgumentParser
import KubernetesModel
import Supervisor

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a cluster and point kubectl at it.",
        discussion: "Returns when the cluster is Ready. Starting one that runs changes nothing.")

    @OptionGroup var profile: ProfileOptions

    @Option(help: "How many nodes a new cluster has.")
    var nodes: Int?

    @Option(
        help: ArgumentHelp(
            """
            A node's capacity, labels, taints and zone: a file, or the name of one that came with martlet, such as \
            large; once for each node, the last for the rest.
            """,
            valueName: "file|name"), completion: .file(extensions: ["yaml", "yml"]))
    var nodeShape: [String] = []

    @Option(help: "The API's port on 127.0.0.1; any free one where it is not given.")
    var apiPort: Int?

    @Flag(help: "Leave the kubeconfig as it is.")
    var noKubeconfig = false

    func run() async throws {
        let paths = try profile.paths
        let shapes = try nodeShape.map(NodeShapeFile.read)
        if let apiPort, !(1...65_535).contains(apiPort) {
            throw SupervisorError.usage("--api-port \(apiPort): a port is a number from 1 to 65535")
        }
        if !noKubeconfig { try UserKubeconfig().checkMerge(paths.profile) }
        let begin = ContinuousClock.now
        try await Launch(paths).start(
            .init(nodes: nodes, shapes: shapes, apiPort: apiPort), progress: Console.progress)
        if !noKubeconfig { try UserKubeconfig().merge(try ClusterKubeconfig(paths).document()) }
        let milliseconds = (ContinuousClock.now - begin) / .milliseconds(1)
        Console.print("Cluster \"\(paths.profile)\" is Ready (\(Int(milliseconds)) ms).")
        if !noKubeconfig { Console.print("kubectl uses context \"\(paths.profile)\".") }
    }
}
