import Addresses
import ClusterLayout
import Glibc
import KubernetesModel
import Linux
import Logging
import Networking
import Systemd

/// One cluster's process tree: starts it, keeps it running, and takes it down when asked.
public actor Supervisor {
    let paths: ClusterPaths
    let programs: Programs
    let logger: Logger
    var configuration: ClusterConfiguration
    var ports = HostPorts()
    var components: [String: Component] = [:]
    var clusterHolder: NamespaceHolder?
    var holderWatchers: [String: Task<Void, Never>] = [:]
    private var notifyServer: NotifyServer?
    private var controlServer: ControlServer?
    /// The changes of nodes that have been asked for; each begins when those before it are done.
    var nodeChanges: Task<Void, Never>?
    private var claim: AddressClaim?
    /// Why pods have no way out, where they are to have one.
    var egressProblem: String?
    /// Held until the cluster is up: no command may find it half up, or down.
    private var profileLock: ProfileLock?
    var expiry: Task<Void, Never>?
    var isReady = false
    var stopRequested = false
    var endsGracefully = true
    private var stopWaiter: CheckedContinuation<Void, Never>?
    /// The end of what was being brought up.
    private var abandonment: Task<Void, Never>?

    /// - Parameter profileLock: what the command that started this process holds; it is taken where there is none.
    public init(paths: ClusterPaths, profileLock: ProfileLock? = nil, logger: Logger) throws {
        self.paths = paths
        self.profileLock = profileLock
        self.logger = logger
        programs = try Programs()
        guard let configuration = try ClusterConfiguration.load(paths.configuration) else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        self.configuration = configuration
    }

    /// Brings the cluster up, says so to whoever started this process, and returns when it has been asked to stop and
    /// everything has ended. Where bringing it up fails, what was started is taken down again.
    public func run() async throws {
        OpenFileLimit.raise()
        // What runs the cluster is killed for want of memory after all workloads, which have values of their own; components
        // inherit this. Only root may ask for it.
        try? writeControl("/proc/self/oom_score_adj", "-900")
        if profileLock == nil { profileLock = try await ProfileLock.take(paths, for: "supervisor") }
        // Until this returns.
        let lock = try SupervisorLock(paths)
        defer { withExtendedLifetime(lock) {} }
        let terminations = TerminationSignals()
        let watcher = Task { [weak self] in
            for await _ in terminations.signals { await self?.requestStop() }
        }
        defer { watcher.cancel() }
        let heartbeat = Task { await Notify.inherited.keepWatchdog() }
        defer { heartbeat.cancel() }
        do {
            try await bringUp()
        } catch {
            let isAsked = stopRequested
            await takeDown()
            if isAsked { return }
            throw error
        }
        isReady = true
        deleteOnceExpired()
        profileLock?.letGo()
        Notify.inherited.send(
            "READY=1\nSTATUS=\(configuration.nodes.count == 1 ? "1 node" : "\(configuration.nodes.count) nodes")")
        logger.info("the cluster is Ready")
        if !stopRequested { await withCheckedContinuation { stopWaiter = $0 } }
        Notify.inherited.stopping()
        await takeDown()
    }

    func requestStop() {
        // Bringing the cluster up waits for components, and so ends.
        if !isReady, !stopRequested { abandonment = Task { await endComponents() } }
        stopRequested = true
        stopWaiter?.resume()
        stopWaiter = nil
    }

    private func bringUp() async throws {
        try paths.closeToOthers()
        await ClusterScope(paths: paths)?.enter(logger: logger)
        let survivors = try Self.members.compactMap { try running($0)?.pid }
        let claim = try AddressClaim(preferring: configuration.loadBalancerOctet, heldBy: survivors)
        self.claim = claim
        if claim.octet != configuration.loadBalancerOctet {
            configuration.loadBalancerOctet = claim.octet
            try configuration.save(paths.configuration)
        }
        let notifyServer = try NotifyServer(path: paths.notifySocket)
        self.notifyServer = notifyServer
        Task { for await message in notifyServer.messages { await self.receive(message) } }

        try ClusterCertificates(paths: paths).ensure(
            apiPort: configuration.apiPort, nodes: configuration.nodes.map(\.name))
        let holder = try await hold(Self.clusterHolderName, within: nil, members: Self.members)
        clusterHolder = holder
        keepSockets(holder)
        try await Self.onNetwork(of: holder) { try $0.setUp() }
        async let egress: Void = openEgress(holder)
        let server = try ControlServer(path: paths.supervisorSocket) { [weak self] request in
            await self?.answer(request) ?? ControlServer.Answer(["error": "the supervisor is ending"])
        }
        controlServer = server

        try await start(try controlPlane(holder))
        try await start(try serviceProxy(holder))
        Notify.inherited.status("starting nodes")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in configuration.nodes where !node.stopped {
                group.addTask { try await self.startNode(node, within: holder) }
            }
            try await components["control-plane"]?.waitUntilReady()
            try await group.waitForAll()
        }
        try await components["service-proxy"]?.waitUntilReady()
        await egress
        for node in configuration.nodes where !node.stopped {
            try await components[node.componentName]?.waitUntilReady()
        }
    }

    func start(_ specification: ComponentSpecification) async throws {
        guard !stopRequested else { throw SupervisorError.failed("the cluster is stopping") }
        let component = Component(specification, paths: paths, logger: logger)
        components[specification.name] = component
        try await component.start()
    }

    func component(_ name: String, _ command: [String], in holder: NamespaceHolder) -> ComponentSpecification {
        ComponentSpecification(
            name: name, arguments: [programs.martlet] + command + ["--profile", paths.profile],
            inside: (programs.initializer, holder.process.pid))
    }

    /// The process of a component that an earlier supervisor left running.
    private func running(_ name: String) throws -> ProcessIdentity? {
        try Files.text(paths.pidFile(name)).flatMap(ProcessIdentity.init(_:)).flatMap { $0.isRunning ? $0 : nil }
    }

    /// The sockets stay open here, so that clients and pods wait for a control plane that is started again.
    private func controlPlane(_ holder: NamespaceHolder) throws -> ComponentSpecification {
        var specification = component("control-plane", ["control-plane"], in: holder)
        specification.sockets = claimSockets
        let namespace = try openNamespace(.net, of: holder.process.pid)
        let api = HostPorts.Address(
            address: AddressPlan.loopback.description, port: configuration.apiPort, transport: "TCP")
        var wanted: [(name: String, address: HostPorts.Address, namespace: SharedDescriptor?)] = [
            ("api", api, nil)
        ]
        wanted += Self.clusterSockets.map { ($0.name, $0.address, namespace) }
        let addresses = Set(wanted.map(\.address))
        // A control plane that outlived its supervisor has them, as the holder has.
        if let known = try running("control-plane") { ports.takeOver(from: known.pid, addresses.contains) }
        // Such as the API's port before it was changed.
        for address in ports.addresses where !addresses.contains(address) && !isForServices(address) {
            ports.release(address)
        }
        for (name, address, namespace) in wanted {
            do {
                specification.sockets.append((name, try ports.bind(address, in: namespace)))
            } catch {
                let reason = String(cString: strerror(error.errno))
                guard namespace == nil, name == "api" else {
                    throw SupervisorError.failed(
                        "\(address.address):\(address.port): the socket \"\(name)\" cannot be bound: \(reason)")
                }
                throw SupervisorError.port(
                    address: address.address, port: address.port, problem: "the API's port cannot be bound: \(reason)",
                    remedy: "end what listens there, or choose another port with: martlet start --api-port PORT")
            }
        }
        // Names outside the cluster are resolved from here, where the way out is: one query a socket.
        guard configuration.egress != .none else { return specification }
        let kinds = [
            ("names", SOCK_DGRAM, Self.nameSockets), ("names-tcp", SOCK_STREAM, Self.longNameSockets),
        ]
        for (name, type, count) in kinds {
            for _ in 0..<count {
                let socket = try makeSocket(domain: AF_INET, type: Int32(type.rawValue))
                specification.sockets.append((name, SharedDescriptor(socket)))
            }
        }
        return specification
    }

    private static let nameSockets = 32
    /// For answers that fit no datagram.
    private static let longNameSockets = 4
    private static let clusterSockets: [(name: String, address: HostPorts.Address)] = [
        ("api", HostPorts.Address(address: AddressPlan.kubernetes.description, port: 443, transport: "TCP")),
        (
            "api",
            HostPorts.Address(
                address: AddressPlan.apiServer.description, port: AddressPlan.apiServerPort, transport: "TCP")
        ),
        ("dns-udp", HostPorts.Address(address: AddressPlan.dns.description, port: 53, transport: "UDP")),
        ("dns-tcp", HostPorts.Address(address: AddressPlan.dns.description, port: 53, transport: "TCP")),
    ]

    private func serviceProxy(_ holder: NamespaceHolder) throws -> ComponentSpecification {
        // What a proxy that outlived its supervisor serves, and no more: Services may have gone meanwhile. Where it died
        // too, its successor says what it serves.
        if let known = try running("service-proxy") { retain(ports.takeOver(from: known.pid, isForServices)) }
        var specification = component("service-proxy", ["service-proxy"], in: holder)
        specification.sockets = claimSockets
        return specification
    }

    /// What the components have only to keep it.
    private var claimSockets: [(name: String, descriptor: SharedDescriptor)] {
        claim.map { [("claim", $0.descriptor)] } ?? []
    }

    private func receive(_ message: NotifyServer.Message) async {
        for component in components.values where await component.receive(pid: message.pid, message.assignments) {
            return
        }
    }

    private func takeDown() async {
        isReady = false
        stopRequested = true
        expiry?.cancel()
        for watcher in holderWatchers.values { watcher.cancel() }
        holderWatchers = [:]
        await abandonment?.value
        await endComponents()
        // A change of nodes that was under way may have started one more.
        await nodeChanges?.value
        await endComponents()
        await Teardown(paths: paths, logger: logger).endProcesses(gracefully: endsGracefully)
        controlServer?.close()
        notifyServer?.close()
        ports.releaseAll()
    }

    private func endComponents() async {
        let ending = components
        // Agents first: nothing may restart what is being ended.
        for component in ending.values where component.name.hasPrefix("node-agent-") { await component.stop() }
        await withDiscardingTaskGroup { group in
            for component in ending.values where !component.name.hasPrefix("node-agent-") {
                group.addTask { await component.stop() }
            }
        }
        for name in ending.keys { components[name] = nil }
    }
}
