import ArgumentParser
import ClusterLayout
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

    @Option(
        name: .customLong("ttl"),
        help: ArgumentHelp(
            "Delete the cluster by itself after this time, such as 1h or 90m.", valueName: "duration"))
    var lifetime: String?

    @Option(
        help: ArgumentHelp(
            """
            How far pods reach: the outside but not this machine's own loopback; that too, as host.martlet.internal; \
            or the cluster alone.
            """))
    var egress: EgressMode?

    @Option(
        help: ArgumentHelp(
            """
            Open LoadBalancer Services and node ports to the network at this address of the machine, without any check \
            of who connects; may be given again, or be none. The API stays on 127.0.0.1.
            """,
            valueName: "address"))
    var listenAddress: [String] = []

    @Option(
        help: ArgumentHelp(
            "Hide this, too, from containers on the image host; may be given again.", valueName: "path"))
    var hostHide: [String] = []

    @Option(
        help: ArgumentHelp(
            "Show this to containers on the image host, though it may hold secrets; may be given again.",
            valueName: "path"))
    var hostShow: [String] = []

    @Flag(help: "Leave the kubeconfig as it is.")
    var noKubeconfig = false

    func run() async throws {
        let paths = try profile.paths
        var shapes = try nodeShape.map(NodeShapeFile.read)
        for (option, paths) in [("--host-hide", hostHide), ("--host-show", hostShow)] {
            for path in paths {
                if let problem = NodeShape.hostPathProblem(path) {
                    throw SupervisorError.usage("\(option): \(problem)")
                }
            }
        }
        if !hostHide.isEmpty || !hostShow.isEmpty {
            if try ClusterConfiguration.load(paths.configuration) != nil {
                throw SupervisorError.usage(
                    "--host-hide and --host-show are for new clusters, and \"\(paths.profile)\" is there; delete it first, "
                        + "or add a node whose shape has hostHide or hostShow: martlet node add --node-shape FILE")
            }
            if shapes.isEmpty { shapes = [NodeShape()] }
            for index in shapes.indices {
                shapes[index].hostHide += hostHide
                shapes[index].hostShow += hostShow
            }
        }
        if let apiPort, !(1...65_535).contains(apiPort) {
            throw SupervisorError.usage("--api-port \(apiPort): a port is a number from 1 to 65535")
        }
        let request = Launch.Request(
            nodes: nodes, shapes: shapes, apiPort: apiPort,
            network: NetworkRequest(egress: egress, listenAddresses: listenAddress),
            lifetime: try lifetime.map(Self.lifetime))
        if !noKubeconfig { try UserKubeconfig().checkMerge(paths.profile) }
        let noKubeconfig = noKubeconfig
        try await Interruption.heeding {
            for name in await Profiles.deleteExpired() {
                Console.notice("the time of cluster \"\(name)\" was over; it is gone")
            }
            let begin = ContinuousClock.now
            try await Launch(paths, waiting: Console.notice).start(request, progress: Console.progress) {
                if !noKubeconfig { try UserKubeconfig().merge(try ClusterKubeconfig(paths).document()) }
            }
            let milliseconds = (ContinuousClock.now - begin) / .milliseconds(1)
            Console.print("Cluster \"\(paths.profile)\" is Ready (\(Int(milliseconds)) ms).")
            let status = try await Launch(paths, waiting: Console.notice).connect().request(["op": "status"]).answer
            if let problem = status["egress"]["problem"].string {
                Console.error("pods have no way out of the cluster: \(problem)")
            }
            let open = status["listenAddresses"].strings.joined(separator: ", ")
            if !open.isEmpty {
                Console.print(
                    "LoadBalancer Services and node ports are open to whoever reaches this machine at \(open).")
            }
            if !noKubeconfig { Console.print("kubectl uses context \"\(paths.profile)\".") }
        }
    }

    private static func lifetime(_ text: String) throws(SupervisorError) -> Lifetime {
        guard let lifetime = Lifetime(text) else {
            throw .usage("--ttl \"\(text)\": write a time from 1s to 365d such as 90m, 1h30m or 2d")
        }
        return lifetime
    }
}

extension EgressMode: ExpressibleByArgument {}
