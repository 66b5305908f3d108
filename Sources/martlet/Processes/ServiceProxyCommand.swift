import APIClient
import ArgumentParser
import Networking
import Supervisor
import Systemd

struct ServiceProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service-proxy", abstract: "Carry connections from the host to Services.", shouldDisplay: false)

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        let paths = try profile.paths
        guard let cluster = try ClusterConfiguration.load(paths.configuration) else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        let client = try HTTPSClient(Kubeconfig(path: paths.pki.kubeconfig("service-proxy")))
        try await ClusterProcess.run("service-proxy") { logger in
            let proxy = ServiceProxy(
                client: client, binder: SupervisorBinder(paths), listenAddresses: cluster.listenAddresses,
                logger: logger)
            await proxy.run { Notify.inherited.ready() }
        }
        await client.shutdown()
    }
}
