import ArgumentParser
import ControlPlane
import Glibc
import Logging
import Networking
import Supervisor
import Systemd

struct ControlPlaneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control-plane", abstract: "Run a cluster's control plane.", shouldDisplay: false)

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        let paths = try profile.paths
        guard let cluster = try ClusterConfiguration.load(paths.configuration) else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        let sockets = ListenSockets.take()
        let configuration = ControlPlane.Configuration(
            store: paths.store, pki: paths.pki, runtimeFolder: paths.runtime,
            apiSockets: sockets.filter { $0.name == "api" }.map(\.descriptor),
            dnsSockets: DNSServer.Sockets(
                datagram: sockets.first { $0.name == "dns-udp" }?.descriptor,
                stream: sockets.first { $0.name == "dns-tcp" }?.descriptor),
            nameServerSocket: sockets.first { $0.name == "names" }?.descriptor,
            loadBalancerOctet: cluster.loadBalancerOctet)
        try await Process.run("control-plane") { logger in
            try await ControlPlane(configuration, logger: logger).run { Notify.inherited.ready() }
        }
    }
}

/// What every process of a cluster does: works until it is asked to end, and says why where it cannot work.
enum Process {
    static func run(_ label: String, _ body: @escaping @Sendable (Logger) async throws -> Void) async throws {
        let logger = Logger(label: label)
        let terminations = TerminationSignals()
        // It beats by the same threads as the work, so that it falls silent when they are stuck.
        let heartbeat = Task { await Notify.inherited.keepWatchdog() }
        defer { heartbeat.cancel() }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body(logger) }
                group.addTask {
                    for await _ in terminations.signals { return }
                }
                try await group.next()
                Notify.inherited.stopping()
                group.cancelAll()
            }
        } catch is CancellationError {
            return
        } catch {
            Console.error(String(describing: error))
            Glibc.exit(1)
        }
    }
}
