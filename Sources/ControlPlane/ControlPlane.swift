/// ControlPlane: the API server, the store, the controllers, the scheduler and the name server in one process.
///
/// It puts them together and runs them; each of them talks to the others through the API only.

import APIClient
import APIServer
import Addresses
import ClusterLayout
import Controllers
import Glibc
import Kinds
import KubernetesModel
import Linux
import Logging
import Networking
import Scheduler
import Store

public struct ControlPlane: Sendable {
    public struct Configuration: Sendable {
        public var paths: ClusterPaths
        /// Where the API listens: sockets of the host's namespace and the cluster's.
        public var apiSockets: [CInt]
        /// Where names are served: a bound datagram socket, a listening one.
        public var dnsSockets: DNSServer.Sockets
        /// Unbound datagram sockets of the host's namespace, by which names outside the cluster are resolved.
        public var nameServerSockets: [CInt]
        /// Unconnected stream sockets of that namespace, for answers that fit no datagram.
        public var longNameServerSockets: [CInt]
        /// LoadBalancer addresses are 127.<this>.0.0/16.
        public var loadBalancerOctet: Int
        /// Whether pods reach programs on the host's loopback.
        public var reachesHost: Bool

        public init(
            paths: ClusterPaths, apiSockets: [CInt], dnsSockets: DNSServer.Sockets,
            nameServerSockets: [CInt], longNameServerSockets: [CInt], loadBalancerOctet: Int, reachesHost: Bool
        ) {
            self.paths = paths
            self.apiSockets = apiSockets
            self.dnsSockets = dnsSockets
            self.nameServerSockets = nameServerSockets
            self.longNameServerSockets = longNameServerSockets
            self.loadBalancerOctet = loadBalancerOctet
            self.reachesHost = reachesHost
        }
    }

    private let configuration: Configuration
    private let logger: Logger

    public init(_ configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs until the task is cancelled; `whenReady` is called once the API answers.
    public func run(whenReady: @escaping @Sendable () -> Void) async throws {
        let store = try SQLiteStore(path: configuration.paths.store)
        do {
            try await serve(store, whenReady: whenReady)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    private func serve(_ store: SQLiteStore, whenReady: @escaping @Sendable () -> Void) async throws {
        let server = try APIServer(configuration: apiServer, store: store, logger: logger)
        let informers = SharedInformers(server.client, logger: logger)
        let controllers = Controllers(client: server.client, informers: informers, options: try controllerOptions())
        let scheduler = Scheduler(client: server.client, informers: informers, logger: logger)
        let sockets = configuration.nameServerSockets
        let upstream =
            sockets.isEmpty
            ? nil
            : DNSCache(
                HostNameServers(descriptors: sockets, streams: configuration.longNameServerSockets))
        let names = DNSServer(
            client: server.client, sockets: configuration.dnsSockets, upstream: upstream,
            reachesHost: configuration.reachesHost, logger: logger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                try await server.run { _ in whenReady() }
            }
            group.addTask { await informers.run() }
            group.addTask { await controllers.run() }
            group.addTask { await scheduler.run() }
            group.addTask { try await names.run() }
        }
    }

    private var apiServer: APIServer.Configuration {
        let listeners = configuration.apiSockets.map { Listener.descriptor($0) }
        let pki = configuration.paths.pki
        var server = APIServer.Configuration(
            listeners: listeners, certificate: pki.apiServer, key: pki.apiServerKey, clientCA: pki.authority,
            serviceAccountKey: pki.serviceAccountKey, serviceAccountPublicKey: pki.serviceAccountPublicKey,
            runDirectory: configuration.paths.runtime, version: Version.kubernetes)
        server.loadBalancers = AddressPlan.loadBalancers(octet: configuration.loadBalancerOctet)
        let nodes = NodeCertificates(pki: pki)
        server.isCurrentNodeCertificate = { nodes.isCurrent($1, of: $0) }
        // A connection may need another one, to a node agent or a pod; the rest is for the store and the like.
        server.maxConnections = (min(max(Int(clamping: OpenFileLimit.current.soft), 512), 20_512) - 256) / 2
        return server
    }

    private func controllerOptions() throws -> ControllerOptions {
        let path = configuration.paths.pki.authority
        guard let certificate = try? readFile(path) else {
            throw ControlPlaneError.unreadable(path: path, problem: String(cString: strerror(errno)))
        }
        var options = ControllerOptions(rootCertificate: certificate, types: Self.types(Catalogue.builtIn))
        options.loadBalancers = AddressPlan.loadBalancers(octet: configuration.loadBalancerOctet)
        options.logger = logger
        return options
    }

    /// Each kind that can be listed and deleted, once, whatever versions it has.
    private static func types(_ catalogue: Catalogue) -> [ResourceType] {
        catalogue.kinds.filter { $0.isStorageVersion && $0.supports("list") && $0.supports("delete") }.map(\.type)
    }
}

enum ControlPlaneError: Error, Sendable, CustomStringConvertible {
    case unreadable(path: String, problem: String)

    var description: String {
        switch self {
        case .unreadable(let path, let problem):
            "\(path): cannot read it: \(problem); restore it, or remove the cluster with: martlet delete"
        }
    }
}
