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
        /// From this start on; nil: for ever, or as long as the cluster was to live before.
        public var lifetime: Lifetime?

        public init(
            nodes: Int? = nil, shapes: [NodeShape] = [], apiPort: Int? = nil,
            network: NetworkRequest = NetworkRequest(), lifetime: Lifetime? = nil
        ) {
            self.nodes = nodes
            self.shapes = shapes
            self.apiPort = apiPort
            self.network = network
            self.lifetime = lifetime
        }
    }

    let paths: ClusterPaths
    /// Receives whom a command has to wait for.
    let waiting: @Sendable (String) -> Void

    public init(_ paths: ClusterPaths, waiting: @escaping @Sendable (String) -> Void) {
        self.paths = paths
        self.waiting = waiting
    }

    /// Starts the cluster, or makes sure that it runs, and returns when it is Ready and `finish` has been called.
    ///
    /// Where the task is cancelled, what was started is ended first.
    ///
    /// - Parameters:
    ///   - progress: receives what is being done.
    ///   - finish: what else belongs to a start; nobody changes the profile meanwhile.
    /// - Throws: `SupervisorError`; nothing half started is left then, and a cluster that was there before keeps its
    ///   state.
    public func start(
        _ request: Request, progress: @escaping @Sendable (String) -> Void,
        finish: @escaping @Sendable () throws -> Void
    ) async throws {
        try check(request)
        try await ProfileLock.hold(paths, for: "start", waiting: waiting) { lock in
            try await start(request, lock, progress)
            try finish()
        }
    }

    private func start(
        _ request: Request, _ lock: ProfileLock, _ progress: @escaping @Sendable (String) -> Void
    ) async throws {
        if try ClusterConfiguration.load(paths.configuration)?.isExpired ?? false {
            try await ClusterEnd(paths, waiting: waiting).remove()
        }
        let isNew = try prepare(request)
        if !isNew, try await isReady(request) { return }
        let teardown = Teardown(paths: paths)
        let isAdopted = teardown.isAnythingRunning
        do {
            try await spawnSupervisor(lock, progress)
        } catch {
            // In a task of its own, for this one may be cancelled.
            await Task {
                if !isAdopted { await teardown.endProcesses(gracefully: false) }
                if isNew { try? teardown.removeDirectories() }
            }.value
            throw error
        }
    }

    /// Runs `body` with a connection to the supervisor while nobody else changes the profile.
    public func changing<Result: Sendable>(
        for command: String, _ body: @escaping @Sendable (ControlConnection) async throws -> Result
    ) async throws -> Result {
        guard Files.exists(paths.state) else { throw SupervisorError.notRunning(profile: paths.profile) }
        return try await ProfileLock.hold(paths, for: command, waiting: waiting) { lock in
            try await revive(lock)
            return try await body(try ControlConnection(paths))
        }
    }

    /// A connection to the supervisor. One that died while its cluster runs on is started again first.
    public func connect() async throws -> ControlConnection {
        if let connection = try? ControlConnection(paths) { return connection }
        if Teardown(paths: paths).isAnythingRunning {
            try await ProfileLock.hold(paths, for: "status", waiting: waiting) { try await revive($0) }
        }
        return try ControlConnection(paths)
    }

    /// Starts the supervisor again where it died while its cluster runs on.
    private func revive(_ lock: ProfileLock) async throws {
        if (try? ControlConnection(paths)) != nil { return }
        try await waitForEndOfSupervisor()
        guard Files.exists(paths.configuration), Teardown(paths: paths).isAnythingRunning else {
            return
        }
        try await spawnSupervisor(lock) { _ in }
    }

    /// Whether the cluster runs; returns once it is Ready. A supervisor that is about to end is waited for.
    private func isReady(_ request: Request) async throws -> Bool {
        if let connection = try? ControlConnection(paths) {
            var wait: JSON = ["op": "wait"]
            if let lifetime = request.lifetime { wait["expires"] = .string(lifetime.end(from: .now).description) }
            let answer = try await connection.request(wait).answer
            if answer["stopping"].bool != true { return true }
            await connection.waitForEnd()
        }
        try await waitForEndOfSupervisor()
        return false
    }

    private func waitForEndOfSupervisor() async throws {
        guard let supervisor = SupervisorLock.supervisor(paths) else { return }
        await supervisor.waitForEnd(atMost: .seconds(30))
        try Task.checkCancellation()
        guard !supervisor.isRunning else {
            throw SupervisorError.failed(
                "the supervisor of cluster \"\(paths.profile)\", pid \(supervisor.pid), neither answers nor ends; "
                    + "end it with: kill -KILL \(supervisor.pid)")
        }
    }

    private func check(_ request: Request) throws(SupervisorError) {
        guard getuid() == 0 else {
            throw .usage("this version starts clusters as root only: run it with sudo; see also: martlet doctor")
        }
        if let count = request.nodes, !AddressPlan.nodeIndexes.contains(count) {
            throw .usage("--nodes \(count): a cluster has 1 to \(AddressPlan.nodeIndexes.count) nodes")
        }
    }

    /// Writes the configuration of a new cluster; checks the request against that of an existing one. Returns whether
    /// the cluster is new.
    private func prepare(_ request: Request) throws -> Bool {
        if var existing = try ClusterConfiguration.load(paths.configuration) {
            if let count = request.nodes, count != existing.nodes.count {
                throw SupervisorError.usage(
                    "--nodes \(count): cluster \"\(paths.profile)\" has \(existing.nodes.count); "
                        + "change that with: martlet node add, martlet node remove")
            }
            let before = existing
            if try request.network.changes(&existing) {
                guard !Teardown(paths: paths).isAnythingRunning else {
                    throw SupervisorError.usage(
                        "--egress and --listen-address: cluster \"\(paths.profile)\" runs with others; stop it first: "
                            + "martlet stop")
                }
            }
            if let port = request.apiPort { existing.apiPort = port }
            if let lifetime = request.lifetime { existing.expires = lifetime.end(from: .now) }
            if existing != before { try existing.save(paths.configuration) }
            return false
        }
        try Teardown(paths: paths).removeCondemned()
        try Files.makePrivateDirectory(paths.state)
        try Files.makePrivateDirectory(paths.runtime)
        var configuration = ClusterConfiguration(
            nodes: [], apiPort: try request.apiPort ?? Self.freePort(),
            loadBalancerOctet: AddressPlan.loadBalancerOctets.lowerBound,
            nextIndex: 1)
        configuration.created = .now
        configuration.expires = request.lifetime?.end(from: .now)
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

    private func spawnSupervisor(
        _ lock: ProfileLock, _ progress: @escaping @Sendable (String) -> Void
    ) async throws {
        try Files.makePrivateDirectory(paths.runtime)
        try Files.makePrivateDirectory(paths.logs)
        let programs = try Programs()
        let notify = try NotifyServer(path: "\(paths.runtime)/start-\(getpid()).sock")
        defer { notify.close() }
        let log = try Files.openLog(paths.log("supervisor"))
        let pid = try Spawn(
            [programs.martlet, "supervisor", "--profile", paths.profile, "--lock-descriptor", "3"],
            environment: Component.ownEnvironment + ["NOTIFY_SOCKET=\(notify.path)"],
            descriptors: [(log, 1), (log, 2), (lock.descriptor, 3)],
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
        if Task.isCancelled {
            await Task {
                process?.signal(SIGTERM)
                await process?.waitForEnd(atMost: .seconds(10))
                process?.signal(SIGKILL)
                await process?.waitForEnd()
                _ = ExitStatus.reap(pid)
            }.value
            throw CancellationError()
        }
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
