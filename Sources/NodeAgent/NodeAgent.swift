/// NodeAgent: what runs pods on one node, as the kubelet does.
///
/// It watches the pods that are bound to its node; a worker a pod decides by a state machine that does no input or
/// output (`PodStateMachine`) and carries out what it decides through a `Runtime`. It reports to the API and serves
/// the node's streams. It never decides where pods run, and never ends them because it ends itself.
///
/// Directories, each using only those before it: Context (what all pods share), Configuration (of containers), Volumes
/// (one file a plug-in), Probes, Pod (workers and state machine), Node, Streams.

import APIClient
import Addresses
import ImageStore
import KubernetesModel
import Linux
import Logging
import Networking
import NodeStreams
import PodRuntime
import Retrying
import Systemd

public struct NodeAgent: Sendable {
    private let configuration: NodeAgentConfiguration
    private let logger: Logger

    public init(_ configuration: NodeAgentConfiguration, logger: Logger = Logger(label: "node-agent")) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Registers the node and runs its pods until the task is cancelled; pods outlive it.
    ///
    /// - Throws: `NoIsolationLevel`, `KubeconfigError`, or `SystemError` where the node's directories cannot be made.
    ///   An API server that does not answer is waited for.
    public func run() async throws {
        let runtime = try makeRuntime(loadBalancers: await leadToLoadBalancers())
        let memory = NodeMemory(configuration.paths)
        try await Blocking.run { () throws(SystemError) in try memory.mount() }
        let client = try HTTPSClient(try Kubeconfig(path: configuration.kubeconfig), userAgent: "martlet-node-agent")
        let images = ImageStore(root: configuration.imageDirectory, unpacking: .ownProgram)
        do {
            try await serve(
                client: client, runtime: runtime, images: images, serviceRules: makeServiceRules, notify: .inherited)
        } catch is CancellationError {
            Notify.inherited.stopping()
        }
        await client.shutdown()
    }

    /// - Throws: `NoIsolationLevel` where this machine cannot run pods.
    private func makeRuntime(loadBalancers: IPv4Network?) throws -> any Runtime {
        guard AddressPlan.nodeIndexes.contains(configuration.index) else {
            throw RuntimeError.failed("node index \(configuration.index) is out of range: use 1 to 250")
        }
        let level = try IsolationLevels.choose(HostFeatures.probe(initPath: configuration.initPath))
        let (driver, resources) = ResourceDrivers.choose(nodeDirectory: configuration.paths.directory)
        if let consequence = driver.consequence { logger.warning("\(consequence)") }
        do {
            try resources.reserveForCluster()
        } catch {
            logger.warning("pods may use all of the machine, and nothing is left to the cluster itself: \(error)")
        }
        logger.debug("isolation level \(level.name), resource driver \(driver.name)")
        return level.makeRuntime(
            RuntimeConfiguration(
                paths: configuration.paths,
                initPath: configuration.initPath, gateway: configuration.gateway, loadBalancers: loadBalancers,
                hidden: HiddenPaths(
                    always: configuration.hiddenDirectories,
                    hide: HiddenPaths.standard + configuration.shape.hostHide, show: configuration.shape.hostShow)),
            resources: resources, logger: logger)
    }

    /// Leads what the node's own programs, such as pods on its network, send to LoadBalancer addresses to its rules.
    ///
    /// - Returns: the addresses, to which pods are led then too; nil where the kernel has no means for that.
    private func leadToLoadBalancers() async -> IPv4Network? {
        guard let loadBalancers = configuration.loadBalancers,
            let address = IPv4Address(configuration.address)
        else { return nil }
        do {
            try await Blocking.run { () throws(SystemError) in
                try LoopbackDetour.make(
                    of: loadBalancers, as: AddressPlan.loadBalancersWithin, via: AddressPlan.gateway, from: address,
                    in: nil)
            }
            return loadBalancers
        } catch {
            logger.error("pods of this node cannot reach LoadBalancer Services by the host's addresses: \(error)")
            return nil
        }
    }

    private func makeServiceRules(_ informers: SharedInformers) -> ServiceRules? {
        do throws(Nftables.Failure) {
            return try ServiceRules(
                informers: informers, node: configuration.nodeName, loadBalancers: configuration.loadBalancers,
                logger: logger)
        } catch {
            logger.error("pods of this node cannot reach Services by their addresses: \(error)")
            return nil
        }
    }

    /// Serves the node with the given parts until the task is cancelled; pods outlive it.
    ///
    /// - Parameter serviceRules: makes what translates Service addresses; nothing does where it returns nil.
    /// - Parameter notify: whom the agent reports its readiness to.
    func serve(
        client: any Client, runtime: any Runtime, images: any ImageSource,
        clock: any Clock<Duration> = ContinuousClock(),
        serviceRules: (SharedInformers) -> ServiceRules? = { _ in nil }, notify: Notify = Notify(socket: nil)
    ) async throws {
        let configuration = configuration
        try await Blocking.run { () throws(SystemError) in
            try makeDirectory(configuration.paths.pods)
            try makeDirectory(configuration.paths.podLogs)
            try makeDirectory(configuration.paths.memory)
            try makeDirectory(configuration.paths.seccomp)
        }
        let events = EventRecorder(client, component: "kubelet", host: configuration.nodeName, logger: logger)
        let informers = SharedInformers(client, logger: logger)
        let services = informers[.services]
        let rules = serviceRules(informers)
        let (changed, change) = AsyncStream.makeStream(of: Set<String>.self)
        let references = ReferenceCache(client) { change.yield($0) }
        let node = NodeContext(
            configuration: configuration, client: client, runtime: runtime, images: images, events: events,
            references: references, services: services, addresses: AddressPool(configuration: configuration),
            tokens: TokenSource(client), clock: clock, logger: logger)
        let workers = PodWorkers(node)
        let registration = NodeRegistration(configuration: configuration, client: client, logger: logger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await events.run() }
            group.addTask { await informers.run() }
            if let rules { group.addTask { await rules.run() } }
            group.addTask { await LogArchive(directory: configuration.paths.podLogs).run() }
            group.addTask { for await pods in changed { await workers.referencesChanged(pods) } }
            group.addTask { try await workers.run() }
            let streams = try await StreamServer.bind(socket: configuration.paths.socket, logger: logger)
            let server = NodeStreamServer(node: node, workers: workers)
            group.addTask { try await streams.run { try await server.serve($0, $1) } }
            notify.status("registering node \(configuration.nodeName)")
            try await register(registration)
            group.addTask { try await registration.keepAlive() }
            notify.ready()
            notify.status("running pods")
        }
        await references.close()
    }

    /// Registers as soon as the API server answers.
    private func register(_ registration: NodeRegistration) async throws {
        try await retry(
            .reconnect, failed: { logger.warning("the node was not registered, trying again: \($0)") },
            { try await registration.register() })
    }
}
