import Glibc
import KubernetesModel
import Linux
import Logging
import Networking
import Systemd
import SystemPackage

/// One cluster's process tree: starts it, keeps it running, and takes it down when asked.
public actor Supervisor {
    private let paths: ClusterPaths
    private let programs: Programs
    private let logger: Logger
    private var configuration: ClusterConfiguration
    private var ports = HostPorts()
    private var components: [String: Component] = [:]
    private var clusterHolder: NamespaceHolder?
    private var holderWatchers: [String: Task<Void, Never>] = [:]
    private var notifyServer: NotifyServer?
    private var claim: AddressClaim?
    private var isReady = false
    private var stopRequested = false
    private var endsGracefully = true
    private var stopWaiter: CheckedContinuation<Void, Never>?

    public init(paths: ClusterPaths, logger: Logger) throws {
        self.paths = paths
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
        let lock = try SupervisorLock(paths)
        defer { lock.release() }
        let terminations = TerminationSignals()
        let watcher = Task { [weak self] in
            for await _ in terminations.signals { await self?.requestStop() }
        }
        defer { watcher.cancel() }
        let heartbeat = Task { await Notify.keepWatchdog() }
        defer { heartbeat.cancel() }
        do {
            try await bringUp()
        } catch {
            await takeDown()
            throw error
        }
        isReady = true
        Notify.send("READY=1\nSTATUS=\(configuration.nodes.count) nodes")
        logger.info("the cluster is Ready")
        if !stopRequested { await withCheckedContinuation { stopWaiter = $0 } }
        Notify.stopping()
        await takeDown()
    }

    private func requestStop() {
        stopRequested = true
        stopWaiter?.resume()
        stopWaiter = nil
    }

    private func bringUp() async throws {
        try Files.makeFolder(paths.logs)
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
        try await Self.onNetwork(of: holder) { try $0.setUp() }
        let server = try ControlServer(path: paths.supervisorSocket) { [weak self] request in
            await self?.answer(request) ?? ControlServer.Answer(["error": "the supervisor is ending"])
        }
        controlServer = server

        try await start(try controlPlane(holder))
        try await start(serviceProxy(holder))
        Notify.status("starting nodes")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in configuration.nodes where !node.stopped {
                group.addTask { try await self.startNode(node, within: holder) }
            }
            try await components["control-plane"]?.waitUntilReady()
            try await group.waitForAll()
        }
        try await components["service-proxy"]?.waitUntilReady()
        for node in configuration.nodes where !node.stopped {
            try await components[node.componentName]?.waitUntilReady()
        }
    }

    private var controlServer: ControlServer?

    private func start(_ specification: ComponentSpecification) async throws {
        let component = Component(specification, paths: paths, logger: logger)
        components[specification.name] = component
        try await component.start()
    }

    private func component(_ name: String, _ command: [String], in holder: NamespaceHolder) -> ComponentSpecification {
        ComponentSpecification(
            name: name, arguments: [programs.martlet] + command + ["--profile", paths.profile],
            inside: (programs.initializer, holder.process.pid))
    }

    /// The process of a component that an earlier supervisor left running.
    private func running(_ name: String) throws -> ProcessIdentity? {
        try Files.text(paths.pidFile(name)).flatMap(ProcessIdentity.init(_:)).flatMap { $0.isRunning ? $0 : nil }
    }

    // MARK: Namespaces

    /// The components within the cluster's own namespaces.
    private static let members = ["control-plane", "service-proxy"]

    /// The holder of namespaces in which `members` run; should it be killed, another one takes its place.
    private func hold(
        _ name: String, within outer: NamespaceHolder?, members: [String]
    ) async throws -> NamespaceHolder {
        let holder = try await NamespaceHolder.ensure(
            name, within: outer, members: members, programs: programs, paths: paths)
        watch(holder, name, members: members)
        return holder
    }

    private func watch(_ holder: NamespaceHolder, _ name: String, members: [String]) {
        holderWatchers[name] = Task { [weak self] in
            await holder.process.waitForEnd()
            guard !Task.isCancelled else { return }
            await self?.replace(holder, name, members: members)
        }
    }

    private func replace(_ dead: NamespaceHolder, _ name: String, members: [String]) async {
        _ = ExitStatus.reap(dead.process.pid)
        do {
            guard
                let holder = try await NamespaceHolder.succeed(
                    name, members: members, programs: programs, paths: paths)
            else {
                logger.error("\(name) was killed with all that ran in its namespaces; stop and start the cluster")
                return
            }
            logger.warning("\(name), pid \(dead.process.pid), was killed; pid \(holder.process.pid) takes its place")
            if name == Self.clusterHolderName { clusterHolder = holder }
            for member in members { await components[member]?.moveInside(holder.process.pid) }
            watch(holder, name, members: members)
        } catch {
            logger.error("no process takes the place of \(name): \(error)")
        }
    }

    private static let clusterHolderName = "cluster"

    /// The sockets stay open here, so that clients and pods wait for a control plane that is started again.
    private func controlPlane(_ holder: NamespaceHolder) throws -> ComponentSpecification {
        var specification = component("control-plane", ["control-plane"], in: holder)
        specification.sockets = claimSockets
        let namespace = try openNamespace(.net, of: holder.process.pid)
        defer { try? namespace.close() }
        let api = HostPorts.Address(address: "127.0.0.1", port: configuration.apiPort, transport: "TCP")
        var wanted: [(name: String, address: HostPorts.Address, namespace: FileDescriptor?)] = [
            ("api", api, nil),
            // Names outside the cluster are resolved from here, where the way out is.
            ("names", HostPorts.Address(address: "0.0.0.0", port: 0, transport: "UDP"), nil),
        ]
        wanted += Self.clusterSockets.map { ($0.name, $0.address, namespace) }
        // A control plane that outlived its supervisor holds them.
        if let known = try running("control-plane") { ports.takeOver(wanted.map(\.address), from: known.pid) }
        for (name, address, namespace) in wanted {
            do {
                specification.sockets.append((name, try ports.bind(address, in: namespace)))
            } catch {
                throw SupervisorError.port(
                    address: address.address, port: address.port,
                    problem: "the API's port cannot be bound: \(String(cString: strerror(error.errno)))",
                    remedy: "end what listens there, or choose another port with: martlet start --api-port PORT")
            }
        }
        return specification
    }

    private static let clusterSockets: [(name: String, address: HostPorts.Address)] = [
        ("api", HostPorts.Address(address: ClusterAddresses.api.description, port: 443, transport: "TCP")),
        ("api", HostPorts.Address(address: ClusterAddresses.gateway.description, port: 6443, transport: "TCP")),
        ("dns-udp", HostPorts.Address(address: ClusterAddresses.dns.description, port: 53, transport: "UDP")),
        ("dns-tcp", HostPorts.Address(address: ClusterAddresses.dns.description, port: 53, transport: "TCP")),
    ]

    private func serviceProxy(_ holder: NamespaceHolder) -> ComponentSpecification {
        var specification = component("service-proxy", ["service-proxy"], in: holder)
        specification.sockets = claimSockets
        return specification
    }

    /// What the components have only to keep it.
    private var claimSockets: [(name: String, descriptor: Int32)] {
        claim.map { [("claim", $0.descriptor)] } ?? []
    }

    private func startNode(_ node: ClusterConfiguration.NodeEntry, within cluster: NamespaceHolder) async throws {
        try Files.makeFolder(paths.node(node.name))
        let holder = try await hold(node.holderName, within: cluster, members: [node.componentName])
        try await Self.onNetwork(of: cluster) { network in
            let namespace = try openNamespace(.net, of: holder.process.pid)
            defer { try? namespace.close() }
            try network.addNode(node.index, namespace: namespace)
        }
        try await start(component(node.componentName, ["node-agent", "--node", node.name], in: holder))
    }

    private static func onNetwork(
        of cluster: NamespaceHolder, _ body: @escaping @Sendable (ClusterNetwork) throws -> Void
    ) async throws {
        let result: Result<Void, any Error> = await Blocking.run {
            Result {
                let namespace = try openNamespace(.net, of: cluster.process.pid)
                defer { try? namespace.close() }
                try body(ClusterNetwork(namespace: namespace))
            }
        }
        try result.get()
    }

    private func receive(_ message: NotifyServer.Message) async {
        for component in components.values where await component.receive(pid: message.pid, message.assignments) {
            return
        }
    }

    private func takeDown() async {
        isReady = false
        for watcher in holderWatchers.values { watcher.cancel() }
        holderWatchers = [:]
        // Agents first: nothing may restart what is being ended.
        for component in components.values where component.name.hasPrefix("node-agent-") { await component.stop() }
        await withDiscardingTaskGroup { group in
            for component in components.values where !component.name.hasPrefix("node-agent-") {
                group.addTask { await component.stop() }
            }
        }
        components = [:]
        await Teardown(paths: paths, logger: logger).endProcesses(gracefully: endsGracefully)
        controlServer?.close()
        notifyServer?.close()
        ports.releaseAll()
    }

    // MARK: Requests

    private func answer(_ request: JSON) async -> ControlServer.Answer {
        do {
            switch request["op"].string {
            case "status": return ControlServer.Answer(await status())
            case "stop":
                endsGracefully = request["gracefully"].bool ?? true
                requestStop()
                return ControlServer.Answer([:])
            case "bind": return try bind(request)
            case "release":
                ports.release(address(request))
                return ControlServer.Answer([:])
            case "node-add": return ControlServer.Answer(try await addNode(request))
            case "node-remove": try await removeNode(request["name"].string ?? "")
            case "node-stop": try await setNode(request["name"].string ?? "", stopped: true)
            case "node-start": try await setNode(request["name"].string ?? "", stopped: false)
            default: throw SupervisorError.usage("unknown request \(request["op"])")
            }
            return ControlServer.Answer([:])
        } catch {
            return ControlServer.Answer(["error": .string(String(describing: error))])
        }
    }

    private func status() async -> JSON {
        var reports: [JSON] = []
        for name in components.keys.sorted() {
            guard let report = await components[name]?.report() else { continue }
            var json: JSON = [
                "name": .string(report.name), "state": .string(report.state), "restarts": JSON(report.restarts),
                "status": .string(report.status),
            ]
            if let pid = report.pid { json["pid"] = JSON(Int(pid)) }
            reports.append(json)
        }
        let allReady = reports.allSatisfy { $0["state"].string == "Ready" }
        return [
            "ready": .bool(isReady && allReady), "components": .array(reports), "pid": JSON(Int(getpid())),
            "apiPort": JSON(configuration.apiPort),
            "nodes": .array(
                configuration.nodes.map { ["name": .string($0.name), "stopped": .bool($0.stopped)] }),
        ]
    }

    private func address(_ request: JSON) -> HostPorts.Address {
        HostPorts.Address(
            address: request["address"].string ?? "", port: request["port"].int ?? -1,
            transport: request["transport"].string ?? "TCP")
    }

    private func bind(_ request: JSON) throws -> ControlServer.Answer {
        do {
            return ControlServer.Answer([:], descriptor: try ports.bind(address(request)))
        } catch {
            return ControlServer.Answer([
                "error": .string(String(cString: strerror(error.errno))), "errno": JSON(Int(error.errno)),
            ])
        }
    }

    // MARK: Nodes

    private func addNode(_ request: JSON) async throws -> JSON {
        let shape = try NodeShape(request["shape"].isNull ? [:] : request["shape"], file: "shape")
        var changed = configuration
        let node = try changed.addNode(name: request["name"].string, shape: shape)
        try ClusterCertificates(paths: paths).ensure(apiPort: changed.apiPort, nodes: [node.name])
        try changed.save(paths.configuration)
        configuration = changed
        guard let holder = clusterHolder else { throw SupervisorError.failed("the cluster is not up yet") }
        try await startNode(node, within: holder)
        try await components[node.componentName]?.waitUntilReady()
        return ["name": .string(node.name)]
    }

    private func existing(_ name: String) throws -> ClusterConfiguration.NodeEntry {
        guard let node = configuration.nodes.first(where: { $0.name == name }) else {
            throw SupervisorError.usage("node \"\(name)\" does not exist; see: martlet node list")
        }
        return node
    }

    private func removeNode(_ name: String) async throws {
        let node = try existing(name)
        guard configuration.nodes.count > 1 else {
            throw SupervisorError.usage("\"\(name)\" is the cluster's only node; add another one first")
        }
        await end(node)
        configuration.nodes.removeAll { $0.name == name }
        try configuration.save(paths.configuration)
        try Files.removeTree(paths.node(name))
        try Files.removeTree(paths.kubeconfig("node-\(name)"))
    }

    private func setNode(_ name: String, stopped: Bool) async throws {
        let node = try existing(name)
        guard node.stopped != stopped else { return }
        if stopped {
            await end(node)
        } else {
            guard let holder = clusterHolder else { throw SupervisorError.failed("the cluster is not up yet") }
            try await startNode(node, within: holder)
            try await components[node.componentName]?.waitUntilReady()
        }
        for index in configuration.nodes.indices where configuration.nodes[index].name == name {
            configuration.nodes[index].stopped = stopped
        }
        try configuration.save(paths.configuration)
    }

    /// Ends a node as a machine that is switched off: its agent, its pods, its namespaces.
    private func end(_ node: ClusterConfiguration.NodeEntry) async {
        holderWatchers.removeValue(forKey: node.holderName)?.cancel()
        await components.removeValue(forKey: node.componentName)?.stop()
        await Teardown(paths: paths, logger: logger).endNode(node.name, holder: node.holderName)
        guard let cluster = clusterHolder else { return }
        do {
            try await Self.onNetwork(of: cluster) { try $0.removeNode(node.index) }
        } catch {
            logger.warning("\(node.name): its link is left: \(error)")
        }
    }
}

extension ClusterConfiguration.NodeEntry {
    var componentName: String { "node-agent-\(name)" }
    var holderName: String { "node-holder-\(name)" }
}
