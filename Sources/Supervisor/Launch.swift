import Addresses
import ClusterLayout
import Glibc
import KubernetesModel
import Linux
import Systemd

/// Starts a cluster's supervisor from the command line and waits for it.
public struct Launch: Sendable {
    /// What a new cluster is to be; an existing one keeps what it is.
    public struct Request: Sendable {
        /// nil: one node, or what the cluster has.
        public var nodes: Int?
        /// The shapes of the nodes, the last one for all further nodes.
        public var shapes: [NodeShape]
        /// nil: any free port, or the one that the cluster has.
        public var apiPort: Int?
        public var network: NetworkRequest

        public init(
            nodes: Int? = nil, shapes: [NodeShape] = [], apiPort: Int? = nil,
            network: NetworkRequest = NetworkRequest()
        ) {
            self.nodes = nodes
            self.shapes = shapes
            self.apiPort = apiPort
            self.network = network
        }
    }

    let paths: ClusterPaths

    public init(_ paths: ClusterPaths) { self.paths = paths }

    /// Starts the cluster, or makes sure that it runs, and returns when it is Ready.
    ///
    /// - Parameter progress: receives what is being done.
    /// - Throws: `SupervisorError`; nothing half started is left then, and a cluster that was there before keeps its
    ///   state.
    public func start(_ request: Request, progress: @escaping @Sendable (String) -> Void) async throws {
        let isNew = try prepare(request)
        do {
            if (try? ControlConnection(paths)) == nil { try await spawnSupervisor(progress) }
        } catch {
            if isNew { try? Teardown(paths: paths, logger: .init(label: "start")).removeDirectories() }
            throw error
        }
    }

    /// A connection to the supervisor. One that died while its cluster runs on is started again first.
    public func connect() async throws -> ControlConnection {
        if let connection = try? ControlConnection(paths) { return connection }
        guard Teardown(paths: paths, logger: .init(label: "connect")).isAnythingRunning else {
            return try ControlConnection(paths)
        }
        try await spawnSupervisor { _ in }
        return try ControlConnection(paths)
    }

    /// Writes the configuration of a new cluster; checks the request against that of an existing one. Returns whether
    /// the cluster is new.
    private func prepare(_ request: Request) throws -> Bool {
        guard getuid() == 0 else {
            throw SupervisorError.usage(
                "this version starts clusters as root only: run it with sudo; see also: martlet doctor")
        }
        if let count = request.nodes, !AddressPlan.nodeIndexes.contains(count) {
            throw SupervisorError.usage("--nodes \(count): a cluster has 1 to \(AddressPlan.nodeIndexes.count) nodes")
        }
        if var existing = try ClusterConfiguration.load(paths.configuration) {
            if let count = request.nodes, count != existing.nodes.count {
                throw SupervisorError.usage(
                    "--nodes \(count): cluster \"\(paths.profile)\" has \(existing.nodes.count); "
                        + "change that with: martlet node add, martlet node remove")
            }
            if try request.network.changes(&existing) {
                guard !Teardown(paths: paths, logger: .init(label: "start")).isAnythingRunning else {
                    throw SupervisorError.usage(
                        "--egress and --listen-address: cluster \"\(paths.profile)\" runs with others; stop it first: "
                            + "martlet stop")
                }
                try existing.save(paths.configuration)
            }
            if let port = request.apiPort, port != existing.apiPort {
                existing.apiPort = port
                try existing.save(paths.configuration)
            }
            return false
        }
        try Files.makePrivateDirectory(paths.state)
        try Files.makePrivateDirectory(paths.runtime)
        var configuration = ClusterConfiguration(
            nodes: [], apiPort: try request.apiPort ?? Self.freePort(),
            loadBalancerOctet: AddressPlan.loadBalancerOctets.lowerBound,
            nextIndex: 1)
        _ = try request.network.changes(&configuration)
        let count = request.nodes ?? max(1, request.shapes.count)
        for index in 0..<count {
            let shape = request.shapes.isEmpty ? NodeShape() : request.shapes[min(index, request.shapes.count - 1)]
            _ = try configuration.addNode(shape: shape)
        }
        try configuration.save(paths.configuration)
        return true
    }

    private static func freePort() throws -> Int {
        do {
            let descriptor = try HostPorts.open(
                .init(address: AddressPlan.loopback.description, port: 0, transport: "TCP"))
            return HostPorts.port(of: descriptor)
        } catch {
            throw SupervisorError.port(
                address: AddressPlan.loopback.description, port: 0, problem: "no port is free: \(error)",
                remedy: "name one with --api-port")
        }
    }

    private func spawnSupervisor(_ progress: @escaping @Sendable (String) -> Void) async throws {
        try Files.makePrivateDirectory(paths.runtime)
        try Files.makePrivateDirectory(paths.logs)
        let programs = try Programs()
        let notify = try NotifyServer(path: "\(paths.runtime)/start-\(getpid()).sock")
        defer { notify.close() }
        let log = try Files.openLog(paths.log("supervisor"))
        let pid = try Spawn(
            [programs.martlet, "supervisor", "--profile", paths.profile],
            environment: Component.ownEnvironment + ["NOTIFY_SOCKET=\(notify.path)"],
            descriptors: [(log, 1), (log, 2)],
            newSession: true
        ).start()
        let process = ProcessIdentity(pid: pid)
        let failure = FailureText()
        let ready = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await message in notify.messages {
                    if let text = message.assignments["STATUS"] { progress(text) }
                    if let text = message.assignments["X_MARTLET_ERROR"] { await failure.set(text) }
                    if message.assignments["READY"] == "1" { return true }
                }
                return false
            }
            group.addTask {
                await process?.waitForEnd()
                // What it said just before its end is still on its way.
                try? await Task.sleep(for: .milliseconds(20))
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            notify.close()
            return first
        }
        if ready { return }
        _ = ExitStatus.reap(pid)
        if let text = await failure.text { throw SupervisorError.failed(text) }
        throw SupervisorError.component(
            name: "supervisor", problem: "ended before the cluster was Ready",
            lastWords: Files.tail(paths.log("supervisor"), lines: 8), log: paths.log("supervisor"))
    }

    /// What a supervisor that fails says to the command that started it: its error, on one line.
    public static func announceFailure(_ error: any Error) {
        let line = String(describing: error).split(separator: "\n").joined(separator: "\u{1E}")
        Notify.inherited.send("X_MARTLET_ERROR=\(line)")
    }
}

private actor FailureText {
    private(set) var text: String?

    func set(_ line: String) { text = line.split(separator: "\u{1E}").joined(separator: "\n") }
}
