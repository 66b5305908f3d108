/// APIServer: the Kubernetes API over the store.
///
/// It takes requests, authenticates, authorizes, decodes, admits, defaults, validates, stores and encodes them, in that
/// order (`Pipeline`), and serves discovery, OpenAPI, watches and subresources. It never reconciles: controllers, the
/// scheduler and node agents do, as its clients.

import APIClient
import Crypto
import FoundationEssentials
import Kinds
import KubernetesModel
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Store

/// The API server of a cluster, embedded in the control plane's process.
public final class APIServer: Sendable {
    /// The API for components in this process. It works before `run`, too.
    public let client: any Client

    /// Answers the requests that come over connections.
    let pipeline: Pipeline
    let configuration: Configuration

    private let connections: ConnectionChannel
    private let bootstrap: Bootstrap
    private let proxy: ReverseProxy
    private let group: any EventLoopGroup
    private let logger: Logger

    /// Reads the certificates and keys; binds nothing yet.
    public convenience init(
        configuration: Configuration, store: any Store, catalogue: Catalogue = .builtIn,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
    ) throws(APIServerError) {
        try self.init(
            configuration: configuration, store: store, catalogue: catalogue,
            plugins: AdmissionPlugins.all(store, loadBalancers: configuration.loadBalancers),
            group: group, logger: logger)
    }

    init(
        configuration: Configuration, store: any Store, catalogue: Catalogue, plugins: [any AdmissionPlugin],
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
    ) throws(APIServerError) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        let services = store.objects(.services)
        let objects = Objects(
            store: store, catalogue: catalogue,
            allocators: Allocators(services: ServiceAllocation(services: services)),
            admission: AdmissionChain(plugins))
        let tokens = try Self.tokens(configuration)
        proxy = ReverseProxy(group: group)
        let subresources = Subresources(
            objects: objects, tokens: tokens, runDirectory: configuration.runDirectory, proxy: proxy)
        let discovery = Discovery(
            catalogue: catalogue, version: configuration.version,
            advertised: "\(configuration.advertiseAddress):\(configuration.advertisePort)",
            openAPI: OpenAPIRequests(documents: OpenAPIDocuments(catalogue, version: configuration.version)),
            store: store, tokens: tokens)
        let authentication = Authentication(
            tokens: tokens, invalidation: { objects.invalidation(of: $0) },
            isCurrentNodeCertificate: configuration.isCurrentNodeCertificate)
        let authorization = Authorization()
        pipeline = Pipeline(
            objects: objects, authentication: authentication, authorization: authorization, discovery: discovery,
            subresources: subresources,
            virtualResources: [
                Reviews(authorization: authorization, authentication: authentication),
                ResourceMetrics(objects: objects, runDirectory: configuration.runDirectory),
            ], logger: logger)
        connections = ConnectionChannel(
            tls: try Self.tls(configuration), connections: Connections(limits: configuration.limits),
            executors: EventLoopExecutor.Group(group),
            handler: RequestHandler(pipeline: pipeline, logger: logger), logger: logger)
        bootstrap = Bootstrap(objects: objects, configuration: configuration)
        client = InProcessClient(objects: objects, subresources: subresources, user: .controlPlane)
    }

    /// Creates the objects of every cluster and serves at every listener; returns once the task is cancelled and every
    /// connection closed.
    ///
    /// - Parameter onReady: called with the server's ports when it accepts connections.
    public func run(onReady: @escaping @Sendable ([Int]) async -> Void = { _ in }) async throws {
        try await bootstrap.run()
        var listenings: [Listening] = []
        for listener in configuration.listeners {
            listenings.append(try await Listening(listener, on: group, connections))
        }
        await withDiscardingTaskGroup { group in
            for listening in listenings { group.addTask { await listening.serve(self.connections) } }
            group.addTask { await self.bootstrap.keep(self.logger) }
            await onReady(listenings.compactMap(\.port))
        }
        await proxy.shutDown()
    }

    private static func tls(_ configuration: Configuration) throws(APIServerError) -> NIOSSLContext {
        func read<Value>(_ file: String, _ load: () throws -> Value) throws(APIServerError) -> Value {
            do { return try load() } catch { throw .unreadable(file: file, problem: "\(error)") }
        }
        let chain = try read(configuration.certificate) { try NIOSSLCertificate.fromPEMFile(configuration.certificate) }
        let key = try read(configuration.key) { try NIOSSLPrivateKey(file: configuration.key, format: .pem) }
        let authorities = try read(configuration.clientCA) { try NIOSSLCertificate.fromPEMFile(configuration.clientCA) }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = .tlsv12
        tls.trustRoots = .certificates(authorities)
        tls.certificateVerification = .optionalVerification
        tls.applicationProtocols = ["h2", "http/1.1"]
        return try read(configuration.certificate) { try NIOSSLContext(configuration: tls) }
    }

    private static func tokens(_ configuration: Configuration) throws(APIServerError) -> TokenAuthority? {
        func text(_ file: String) throws(APIServerError) -> String {
            do {
                return try String(contentsOfFile: file, encoding: .utf8)
            } catch { throw .unreadable(file: file, problem: "\(error)") }
        }
        do {
            if !configuration.serviceAccountKey.isEmpty {
                return TokenAuthority(
                    privateKey: try .init(pemRepresentation: try text(configuration.serviceAccountKey)))
            }
            if !configuration.serviceAccountPublicKey.isEmpty {
                return TokenAuthority(
                    publicKey: try .init(pemRepresentation: try text(configuration.serviceAccountPublicKey)))
            }
        } catch let error as APIServerError {
            throw error
        } catch {
            throw .unreadable(file: configuration.serviceAccountKey, problem: "\(error)")
        }
        return nil
    }
}
