import ArgumentParser
import ClusterLayout
import KubernetesModel
import NodeStreams
import Supervisor

struct PsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List the containers that run, by their processes on this machine.",
        discussion: "PID is the container's first process, for ps, gdb, strace, perf and nsenter.")

    @OptionGroup var profile: ProfileOptions

    @Option(name: [.short, .long], help: "Only those of this namespace.")
    var namespace: String?

    @Option(name: [.short, .long], help: "How to print it.")
    var output = OutputFormat.table

    @Argument(help: "Only those of this pod.")
    var pod: String?

    func run() async throws {
        let paths = try profile.paths
        guard let configuration = try ClusterConfiguration.load(paths.configuration) else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        var found: [(node: String, container: RunningContainer)] = []
        var silent: [String] = []
        for node in configuration.nodes where !node.stopped {
            do {
                let containers = try await RunningContainer.all(on: paths.node(node.name).socket)
                found += containers.filter(isWanted).map { (node.name, $0) }
            } catch {
                silent.append(node.name)
            }
        }
        for node in silent {
            Console.error("the agent of node \"\(node)\" does not answer; see: martlet status")
        }
        switch output {
        case .json:
            Console.print(
                JSON.array(
                    found.map { node, container in
                        var json = container.json
                        json["node"] = .string(node)
                        return json
                    }))
        case .table: Console.table([Self.header] + found.map { Self.row($0.container, node: $0.node) })
        }
        if !silent.isEmpty { throw ExitCode(1) }
        if let pod, found.isEmpty { throw SupervisorError.failed("no container of a pod \"\(pod)\" runs") }
    }

    private func isWanted(_ container: RunningContainer) -> Bool {
        (namespace == nil || container.namespace == namespace) && (pod == nil || container.pod == pod)
    }

    private static let header = ["NAMESPACE", "POD", "CONTAINER", "PID", "CPU TIME", "MEMORY", "NODE"]

    private static func row(_ container: RunningContainer, node: String) -> [String] {
        [
            container.namespace, container.pod, container.container, String(container.pid),
            container.cpuNanoseconds.map(time) ?? "-", container.memory.map { "\($0 >> 20)Mi" } ?? "-", node,
        ]
    }

    /// As `ps` has it, with hundredths of a second: `1:02.34`.
    static func time(_ nanoseconds: Int) -> String {
        let hundredths = nanoseconds / 10_000_000
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(hundredths / 6000):\(two(hundredths / 100 % 60)).\(two(hundredths % 100))"
    }
}
