import CInitProtocol
import Glibc
import KubernetesModel
import Linux
import Synchronization

/// One pod's sandbox: its init, and what is known of its containers.
///
/// Guarded by a mutex and not an actor: states arrive on the poller's thread in the order in which the init sent them,
/// and must be known before the answer that follows them.
final class PodSandbox: Sendable {
    private struct State {
        var connection: InitConnection?
        var containers: [ContainerID: ContainerState] = [:]
        var waiting: [ContainerID: [CheckedContinuation<Int32, Never>]] = [:]
        var running = false
        /// The pod is being removed: the ends of its containers are not reported.
        var ending = false
    }

    let record: SandboxRecord
    let paths: SandboxPaths
    let resources: any ResourceController
    let configuration: RuntimeConfiguration
    private let onExit: AsyncStream<ContainerState>.Continuation
    private let state = Mutex(State())

    init(
        record: SandboxRecord, paths: SandboxPaths, configuration: RuntimeConfiguration,
        resources: any ResourceController, onExit: AsyncStream<ContainerState>.Continuation
    ) {
        self.record = record
        self.paths = paths
        self.configuration = configuration
        self.resources = resources
        self.onExit = onExit
    }

    var uid: String { record.podUID }
    var group: ResourceGroup {
        ResourceGroup.node(configuration.paths).pod(uid, qosClass: record.qosClass)
    }
    /// What the containers have as `/dev/shm`: one for all, the machine's with `hostIPC`.
    var sharedMemory: String? {
        if record.sharesHostIPC { return access("/dev/shm", F_OK) == 0 ? "/dev/shm" : nil }
        // A sandbox that an earlier version started has none.
        return isMountPoint(paths.sharedMemory.directory) ? paths.sharedMemory.directory : nil
    }
    var isRunning: Bool { state.withLock { $0.running } }
    var containers: [ContainerState] { state.withLock { Array($0.containers.values) } }
    func container(_ id: ContainerID) -> ContainerState? { state.withLock { $0.containers[id] } }

    var sandbox: Sandbox {
        let (running, containers) = state.withLock { ($0.running, Array($0.containers.values)) }
        return Sandbox(
            podUID: uid, namespace: record.namespace, name: record.name, address: record.address,
            pid: running ? record.process.pid : 0,
            containers: containers.sorted { ($0.id.name, $0.id.restart) < ($1.id.name, $1.id.restart) })
    }

    /// Connects to the init and learns what became of its containers.
    ///
    /// - Throws: where the init is gone; its containers are then known as dead.
    func connect() async throws {
        guard record.process.isRunning else {
            for end in await Blocking.run({ self.recordedEnds() }) { note(end) }
            throw InitGone()
        }
        do {
            let connection = try InitConnection(
                path: paths.socket, onState: { [self] in learn($0) }, onClose: { [self] in lost() })
            state.withLock {
                $0.connection = connection
                $0.running = true
            }
            _ = try await connection.request(.list)
        } catch {
            // Its end may have been reported before it was known as running.
            await Blocking.run { self.lost() }
            throw error
        }
    }

    func request(
        _ type: InitRequest, flags: InitFlags = [], body: [UInt8] = [], descriptors: [SharedDescriptor] = []
    ) async throws -> InitMessage {
        let lost = RuntimeError.notFound("pod \(record.namespace)/\(record.name) does not run")
        guard let connection = state.withLock({ $0.connection }) else { throw lost }
        do {
            return try await connection.request(type, flags: flags, body: body, descriptors: descriptors)
        } catch is InitGone {
            throw lost
        }
    }

    func execEnd(_ tag: UInt32) async throws -> Int32 {
        guard let connection = state.withLock({ $0.connection }) else { return 137 }
        return try await connection.execEnd(tag)
    }

    func forgetExec(_ tag: UInt32) { state.withLock { $0.connection }?.forgetExec(tag) }

    /// A container has started. Its end may have been reported before.
    func started(_ container: ContainerState) -> ContainerState {
        state.withLock { state in
            if let known = state.containers[container.id] {
                var merged = known
                merged.pid = container.pid
                state.containers[container.id] = merged
                return merged
            }
            state.containers[container.id] = container
            return container
        }
    }

    /// Waits for a container's end; returns its exit code.
    func end(of id: ContainerID) async -> Int32 {
        await withCheckedContinuation { continuation in
            let code: Int32? = state.withLock { state in
                switch state.containers[id]?.phase {
                case .exited(let code, _, _, _): return code
                case .running:
                    state.waiting[id, default: []].append(continuation)
                    return nil
                case nil: return 137
                }
            }
            if let code { continuation.resume(returning: code) }
        }
    }

    func forget(_ id: ContainerID) { state.withLock { $0.containers[id] = nil } }

    /// Takes a container's state from the init.
    private func learn(_ message: InitMessage) {
        var body = BodyReader(message.body)
        let running = body.number(UInt32.self) != 0
        let code = Int32(truncatingIfNeeded: body.number(UInt32.self))
        let signal = Int32(truncatingIfNeeded: body.number(UInt32.self))
        let started = Timestamp(seconds: Int(body.number(UInt64.self)), nanoseconds: Int(body.number(UInt64.self)))
        let ended = Timestamp(seconds: Int(body.number(UInt64.self)), nanoseconds: Int(body.number(UInt64.self)))
        guard let id = ContainerID(podUID: uid, key: body.string()) else { return }
        note(
            ContainerState(
                id: id, pid: running ? message.process : 0, startedAt: started,
                phase: running ? .running : exited(id, code: code, signal: signal, at: ended)))
    }

    private func exited(_ id: ContainerID, code: Int32, signal: Int32, at ended: Timestamp) -> ContainerState.Phase {
        // The kernel counts its victims in the container's own group, also where it was not the first process.
        let outOfMemory = code != 0 && resources.outOfMemoryKills(group.container(id)) > 0
        return .exited(code: code, signal: signal, outOfMemory: outOfMemory, at: ended)
    }

    /// Keeps a state and reports an end, once.
    private func note(_ new: ContainerState) {
        let (reported, waiting) = state.withLock { state -> (ContainerState?, [CheckedContinuation<Int32, Never>]) in
            var new = new
            if let known = state.containers[new.id] {
                if case .exited = known.phase { return (nil, []) }
                if new.pid == 0 { new.pid = known.pid }
            }
            state.containers[new.id] = new
            guard case .exited = new.phase else { return (nil, []) }
            return (state.ending ? nil : new, state.waiting.removeValue(forKey: new.id) ?? [])
        }
        if case .exited(let code, _, _, _) = new.phase {
            for continuation in waiting { continuation.resume(returning: code) }
        }
        if let reported { onExit.yield(reported) }
    }

    /// The connection has ended: with the init, unless this process closed it. It blocks.
    private func lost() {
        // Read first, for a sandbox that does not run may be cleaned up; reported last, for whoever starts the sandbox
        // again on the end of a container must not find it running.
        let ends = recordedEnds()
        state.withLock {
            $0.connection = nil
            $0.running = false
        }
        for end in ends { note(end) }
        // Of those without a record on the disk nothing else will come.
        let waiting = state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values.joined() { continuation.resume(returning: 137) }
    }

    /// The ends that the init has recorded since the sandbox's start.
    var past: [ContainerState] {
        exitRecords.compactMap { record in
            ContainerID(podUID: uid, key: record.key).map {
                ContainerState(
                    id: $0, pid: 0, startedAt: record.started,
                    phase: .exited(code: record.code, signal: record.signal, outOfMemory: false, at: record.ended))
            }
        }
    }

    private var exitRecords: [ExitRecord] {
        (try? readFile(paths.exits))?.split(separator: "\n").compactMap(ExitRecord.init) ?? []
    }

    /// The ends of containers from the disk, after the init's death: those it recorded, and those it took along.
    private func recordedEnds() -> [ContainerState] {
        var result: [ContainerState] = []
        let ends = Dictionary(exitRecords.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        for name in (try? listDirectory(paths.containers)) ?? [] {
            for restart in (try? listDirectory("\(paths.containers)/\(name)")) ?? [] {
                guard let id = ContainerID(podUID: uid, key: "\(name)/\(restart)"),
                    let bytes = try? readBytes(paths.execRecord(id)), let json = try? JSON(decoding: bytes)
                else { continue }
                let started = json["startedAt"].string.flatMap { Timestamp($0) } ?? .now
                let end = ends[id.key]
                let phase = exited(id, code: end?.code ?? 137, signal: end?.signal ?? 9, at: end?.ended ?? .now)
                result.append(ContainerState(id: id, pid: 0, startedAt: end?.started ?? started, phase: phase))
            }
        }
        return result
    }

    /// How long the init has to kill what is in the pod, which takes it some milliseconds.
    private static let patience = Duration.seconds(5)

    /// Kills everything in the pod and waits until it is gone.
    func end() async {
        let connection = state.withLock { state in
            state.ending = true
            return state.connection
        }
        if let connection {
            // An init that hangs does not answer: it is killed with all that is in the pod.
            let killer = Task {
                try await Task.sleep(for: Self.patience)
                record.process.signal(SIGKILL)
            }
            _ = try? await connection.request(.end)
            killer.cancel()
        }
        record.process.signal(SIGKILL)
        await record.process.waitForEnd()
        // With a damaged record something may be left that only the group knows.
        for pid in resources.processes(group) { kill(pid, SIGKILL) }
    }

    /// Removes the remains of a dead sandbox: groups, directories, socket. Volumes and logs are not its own.
    func cleanUp() async {
        if let connection = state.withLock({ $0.connection }) { await Blocking.run { connection.close() } }
        await resources.remove(group)
        let paths = paths
        await Blocking.run {
            for name in (try? listDirectory(paths.containers)) ?? [] {
                for restart in (try? listDirectory("\(paths.containers)/\(name)")) ?? [] where Int(restart) != nil {
                    ContainerRoot.remove("\(paths.containers)/\(name)/\(restart)")
                    try? removeTree("\(paths.containers)/\(name)/\(restart)")
                }
                // Fails where somebody else keeps something there.
                rmdir("\(paths.containers)/\(name)")
            }
            paths.remove()
        }
    }
}
