import ArgumentParser
import ControlPlane
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
            paths: paths,
            apiSockets: sockets.filter { $0.name == "api" }.map(\.descriptor),
            dnsSockets: DNSServer.Sockets(
                datagram: sockets.first { $0.name == "dns-udp" }?.descriptor,
                stream: sockets.first { $0.name == "dns-tcp" }?.descriptor),
            nameServerSockets: sockets.filter { $0.name == "names" }.map(\.descriptor),
            longNameServerSockets: sockets.filter { $0.name == "names-tcp" }.map(\.descriptor),
            loadBalancerOctet: cluster.loadBalancerOctet, reachesHost: cluster.egress == .host)
        try await ClusterProcess.run("control-plane") { logger in
            try await ControlPlane(configuration, logger: logger).run { Notify.inherited.ready() }
        }
    }
}
