/// NodeAgent: what runs pods on one node, as the kubelet does.
///
/// It watches the pods that are bound to its node; a worker a pod decides by a state machine that does no input or
/// output (`PodStateMachine`) and carries out what it decides through a `Runtime`. It reports to the API and serves
/// the node's streams. It never decides where pods run, and never ends them because it ends itself.

import APIClient
import ImageStore
import KubernetesModel
import Linux
import Logging
import Systemd

public struct NodeAgent: Sendable {
    private let configuration: NodeAgentConfiguration
    private let logger: Logger

    public init(_ configuration: NodeAgentConfiguration, logger: Logger = Logger(label: "node-agent")) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Registers the node and runs its pods through `runtime`, until the task is cancelled; pods outlive it.
    ///
    /// - Throws: `KubeconfigError`, or `SystemError` where the node's folders cannot be made. An API server that does
    ///   not answer is waited for.
    public func run(runtime: any Runtime) async throws {
        let client = try HTTPSClient(try Kubeconfig(path: configuration.kubeconfig), userAgent: "martlet-node-agent")
        try await serve(client: client, runtime: runtime, images: ImageStore(root: configuration.imageFolder))
        await client.shutdown()
    }

    /// Serves the node with the given parts until the task is cancelled; pods outlive it.
    func serve(client: any Client, runtime: any Runtime, images: any ImageSource) async throws {
        let configuration = configuration
        try await Blocking.run { () throws(SystemError) in
            try makeFolder(configuration.podFolder)
            try makeFolder(configuration.logFolder)
        }
        let events = EventRecorder(client, component: "kubelet", host: configuration.nodeName, logger: logger)
        let services = Informer(client, .services, logger: logger)
        let (changed, change) = AsyncStream.makeStream(of: Set<String>.self)
        let references = ReferenceCache(client) { change.yield($0) }
        let node = NodeContext(
            configuration: configuration, client: client, runtime: runtime, images: images, events: events,
            references: references, services: services, addresses: AddressPool(configuration: configuration),
            tokens: TokenSource(client), logger: logger)
        let workers = PodWorkers(node)
        let registration = NodeRegistration(configuration: configuration, client: client, logger: logger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await events.run() }
            group.addTask { await services.run() }
            group.addTask { for await pods in changed { await workers.referencesChanged(pods) } }
            group.addTask { try await workers.run() }
            Notify.status("registering node \(configuration.nodeName)")
            try await register(registration)
            group.addTask { try await registration.keepAlive() }
            Notify.ready()
            Notify.status("running pods")
        }
        await references.close()
    }

    /// Registers as soon as the API server answers.
    private func register(_ registration: NodeRegistration) async throws {
        var backoff = Backoff()
        while true {
            do {
                try await registration.register()
                return
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.warning("the node was not registered, trying again: \(error)")
                try await Task.sleep(for: backoff.next())
            }
        }
    }
}
