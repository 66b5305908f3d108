import Addresses
import ClusterLayout
import Glibc
import KubernetesModel
import Linux
import Logging

/// The `sandbox` level: each pod in namespaces of its own under a `martlet-init`, each container with its own root.
///
/// Runs in the node's network namespace and the cluster's mount namespace. What it knows is on disk
/// (`<state>/nodes/<node>/pods/<uid>/sandbox.json`) and in the inits, which outlive it.
package actor SandboxRuntime: Runtime {
    package nonisolated let exits: AsyncStream<ContainerState>
    private nonisolated let exitsInput: AsyncStream<ContainerState>.Continuation

    nonisolated let configuration: RuntimeConfiguration
    nonisolated let machine: HostRoot
    nonisolated let program: InitProgram
    nonisolated let resources: any ResourceController
    nonisolated let logger: Logger
    /// Those known to this process; the rest of the truth is on disk.
    var pods: [String: PodSandbox] = [:]
    private var starting: [String: Task<PodSandbox, any Error>] = [:]
    private var bridgeIndex: Int32?
    private var discovery: Task<Void, any Error>?

    /// Finds nothing and starts nothing yet: `sandboxes()` does.
    package init(configuration: RuntimeConfiguration, resources: any ResourceController, logger: Logger) {
        self.configuration = configuration
        self.resources = resources
        machine = HostRoot(nodeDirectory: configuration.paths.directory)
        program = InitProgram(path: configuration.initPath)
        self.logger = logger
        (exits, exitsInput) = AsyncStream.makeStream()
    }

    package func startSandbox(_ sandbox: SandboxConfiguration) async throws -> Sandbox {
        try await discover()
        if let pod = pods[sandbox.podUID], pod.isRunning, pod.record.isCurrent { return pod.sandbox }
        let task: Task<PodSandbox, any Error>
        if let running = starting[sandbox.podUID] {
            task = running
        } else {
            let former = pods[sandbox.podUID]
            let bridge = sandbox.address == nil ? nil : try bridgeLink()
            task = Task { [self] in
                if let former {
                    if former.isRunning { await former.end() }
                    await former.cleanUp()
                }
                return try await PodSandbox.start(
                    sandbox, bridge: bridge, paths: paths(sandbox.podUID), configuration: configuration,
                    program: program, resources: resources, onExit: exitsInput)
            }
            starting[sandbox.podUID] = task
        }
        defer { starting[sandbox.podUID] = nil }
        let pod = try await task.value
        pods[sandbox.podUID] = pod
        return pod.sandbox
    }

    package func sandboxes() async throws -> [Sandbox] {
        try await discover()
        return pods.values.map { pod in
            var sandbox = pod.sandbox
            sandbox.past = pod.past
            return sandbox
        }
    }

    package func removeSandbox(podUID: String) async throws {
        try await discover()
        guard let pod = pods[podUID] else { return }
        await pod.end()
        await pod.cleanUp()
        pods[podUID] = nil
    }

    package func usage(podUID: String) async throws -> [ContainerID: ResourceUsage] {
        let pod = try pod(podUID)
        var result: [ContainerID: ResourceUsage] = [:]
        for state in pod.containers where state.phase == .running {
            if let usage = resources.usage(pod.group.container(state.id)) { result[state.id] = usage }
        }
        return result
    }

    func pod(_ uid: String) throws(RuntimeError) -> PodSandbox {
        guard let pod = pods[uid] else { throw .notFound("pod \(uid) has no sandbox on this node") }
        return pod
    }

    nonisolated func paths(_ uid: String) -> SandboxPaths {
        SandboxPaths(
            podDirectory: configuration.paths.pod(uid), memoryDirectory: "\(configuration.paths.memory)/\(uid)",
            runDirectory: configuration.paths.runtime)
    }

    private func bridgeLink() throws -> Int32 {
        if let bridgeIndex { return bridgeIndex }
        var route = try RouteSocket()
        guard let index = try route.index(of: configuration.bridge) else {
            throw RuntimeError.failed("the node has no bridge \(configuration.bridge) yet")
        }
        bridgeIndex = index
        return index
    }

    /// Finds the sandboxes that an earlier agent left, once.
    private func discover() async throws {
        // All who ask meanwhile wait for the one search.
        let search = discovery ?? Task { try await findSandboxes() }
        discovery = search
        do {
            try await search.value
        } catch {
            discovery = nil
            throw error
        }
    }

    private func findSandboxes() async throws {
        for uid in try listDirectory(configuration.paths.pods) {
            let paths = paths(uid)
            guard let bytes = try? readBytes(paths.record) else { continue }
            guard let json = try? JSON(decoding: bytes), let record = SandboxRecord(json) else {
                logger.warning("unreadable sandbox record, ignored", metadata: ["path": "\(paths.record)"])
                continue
            }
            let pod = PodSandbox(
                record: record, paths: paths, configuration: configuration, resources: resources, onExit: exitsInput)
            do {
                try await pod.connect()
            } catch {
                logger.notice("a pod's init is gone", metadata: ["pod": "\(record.namespace)/\(record.name)"])
            }
            pods[uid] = pod
        }
    }
}

/// Where things of one sandbox are.
struct SandboxPaths: Sendable {
    let podDirectory: String
    /// In the node's memory.
    let memoryDirectory: String
    let socketDirectory: String

    init(podDirectory: String, memoryDirectory: String, runDirectory: String) {
        self.podDirectory = podDirectory
        self.memoryDirectory = memoryDirectory
        // A socket's path must be short, and the same after a restart.
        let digits = String(fingerprint(podDirectory), radix: 16)
        socketDirectory = "\(runDirectory)/p/\(String(repeating: "0", count: 16 - digits.count))\(digits)"
    }

    var record: String { "\(podDirectory)/sandbox.json" }
    var exits: String { "\(podDirectory)/exits" }
    var sharedMemory: SharedMemory { SharedMemory(podDirectory: podDirectory) }
    var socket: String { "\(socketDirectory)/s" }
    var containers: String { "\(podDirectory)/containers" }
    func container(_ id: ContainerID) -> String { "\(containers)/\(id.name)/\(id.restart)" }
    func execRecord(_ id: ContainerID) -> String { "\(container(id))/exec.json" }
    var environments: String { "\(memoryDirectory)/environments" }
    /// Not with the rest of what `exec` needs: Secrets, which variables can be, are kept off the disk.
    func environment(_ id: ContainerID) -> String { "\(environments)/\(id.name).\(id.restart)" }

    /// Removes what a sandbox has itself: not its containers', volumes and logs. It blocks.
    func remove() {
        sharedMemory.remove()
        unlink(record)
        unlink(exits)
        try? removeTree(socketDirectory)
        try? removeTree(environments)
    }
}
