import APIClient
import KubernetesModel
import Linux
import Logging
import PodRuntime
import Retrying

/// Carries out the actions of one pod's state machine and feeds it events, until nothing is left of the pod.
///
/// Cancelling `run` leaves the pod's containers as they are: the next agent takes them over.
actor PodWorker {
    nonisolated let uid: String
    /// Takes events; never waits.
    nonisolated let inbox: AsyncStream<PodEvent>.Continuation
    private let events: AsyncStream<PodEvent>
    let node: NodeContext
    let paths: PodPaths
    var machine: PodStateMachine
    let reporter: StatusReporter

    private var timer: (moment: Timestamp, task: Task<Void, Never>)?
    private var probes = ProbeWorkers()
    private var stops: [ContainerID: Task<Void, Never>] = [:]
    /// The preStop hooks of containers that are being stopped; each outlives a change of the grace period.
    var preStops: [ContainerID: Task<Void, Never>] = [:]
    var stopSignals: [ContainerID: Int32] = [:]
    /// When containers that are being stopped were sent their stop signal.
    var signalled: [ContainerID: ContinuousClock.Instant] = [:]
    private var endWatchers = EndWatchers()

    /// - Parameter sandbox: the pod's, where an earlier agent has started it.
    init(_ node: NodeContext, pod: Object, sandbox: Sandbox?) {
        let now = Timestamp.now
        var machine = PodStateMachine(pod: pod, now: now)
        machine.adopt(sandbox, now: now)
        self.init(node, machine: machine)
    }

    init(_ node: NodeContext, machine: PodStateMachine) {
        self.node = node
        self.machine = machine
        uid = machine.uid
        let pod = machine.pod
        paths = PodPaths(node.configuration, namespace: pod.namespace, name: pod.name, uid: pod.uid)
        reporter = StatusReporter(node.client, pod: pod, clock: node.clock, logger: node.logger)
        (events, inbox) = AsyncStream.makeStream()
    }

    var pod: Object { machine.pod }

    /// The pod, while it counts against the node's resources.
    var activePod: Pod? {
        let pod = Pod(machine.pod)
        return machine.stage == .idle || machine.stage == .finished || machine.isTerminal ? nil : pod
    }

    // MARK: - The loop

    func run() async {
        await withDiscardingTaskGroup { group in
            let reporter = reporter
            group.addTask { await reporter.run() }
            let wasIdle = machine.stage == .idle
            if wasIdle { reporter.assumeWritten(status()) }
            carryOut(machine.resumeProbes(), &group)
            carryOut(machine.begin(now: .now), &group)
            if !wasIdle {
                reporter.offer(status())
                group.addTask { await self.watchStorage() }
            }
            for await event in events {
                if case .timer = event {
                    timer?.task.cancel()
                    timer = nil
                }
                if case .exited(let id, _) = event {
                    stops.removeValue(forKey: id)?.cancel()
                    preStops.removeValue(forKey: id)?.cancel()
                    signalled[id] = nil
                }
                carryOut(machine.handle(event, now: .now), &group)
                if case .exited(let id, _) = event { endWatchers.ended(id) }
                if machine.stage == .finished { break }
                reporter.offer(status())
            }
            probes.cancel()
            for task in stops.values { task.cancel() }
            for task in preStops.values { task.cancel() }
            timer?.task.cancel()
            endWatchers.endAll()
            group.cancelAll()
        }
    }

    /// Takes the end of one of the pod's containers from the runtime.
    nonisolated func exited(_ state: ContainerState) async {
        let message = await terminationMessage(state)
        if let end = Termination(state, message: message) { inbox.yield(.exited(state.id, end)) }
    }

    private func carryOut(_ actions: [PodAction], _ group: inout DiscardingTaskGroup) {
        for action in actions {
            switch action {
            case .prepareVolumes: group.addTask { await self.prepareVolumes() }
            case .startSandbox: group.addTask { await self.startSandbox() }
            case .start(let id): group.addTask { await self.start(id) }
            case .stop(let id, let grace):
                if stops[id] == nil, grace > 0 { startPreStop(id) }
                stops[id]?.cancel()
                stops[id] = Task { await self.stop(id, grace: grace) }
            case .forget(let id):
                group.addTask { [node, paths] in
                    try? await node.runtime.removeContainer(id)
                    // The log of the run before the current one stays, for `kubectl logs --previous`.
                    guard id.restart > 0 else { return }
                    let old = ContainerID(podUID: id.podUID, name: id.name, restart: id.restart - 1)
                    await Blocking.run { removeLogs(paths.log(old)) }
                }
            case .startProbes(let id, let kinds):
                for kind in kinds { startProbe(id, kind) }
            case .stopProbes(let id, let kinds): probes.stop(id, kinds)
            case .record(let notice): record(notice)
            case .wake(let moment): wake(at: moment)
            case .conclude: group.addTask { await self.conclude() }
            case .finish(let deleteFromAPI): group.addTask { await self.finish(deleteFromAPI: deleteFromAPI) }
            }
        }
    }

    private func startProbe(_ id: ContainerID, _ kind: ProbeKind) {
        guard let container = machine.containers.first(where: { $0.name == id.name }),
            case .running(let since) = container.state
        else { return }
        probes.start(
            ProbeWorker(
                id: id, kind: kind, probe: container.spec[kind.field], runningSince: since,
                hook: Hook(node: node, container: Container(container.spec), address: hookAddress)
            ) { [self] result in
                if let notice = kind.notice(of: result, container: id.name) { await record(notice) }
            } onVerdict: { [inbox] verdict in
                inbox.yield(.probe(id, kind, verdict))
            })
    }

    /// Waits until a run of a container has ended.
    func waitForEnd(of id: ContainerID) async {
        if machine.isOver(id) { return }
        for await _ in endWatchers.watch(id) {}
    }

    private func wake(at moment: Timestamp) {
        if let timer {
            if timer.moment <= moment { return }
            timer.task.cancel()
        }
        let task = Task { [inbox] in
            // A clock's grain more, so that the moment has come for certain.
            let delay = max(0, moment.since(.now)) + 0.001
            if (try? await Task.sleep(for: .seconds(delay))) != nil { inbox.yield(.timer) }
        }
        timer = (moment, task)
    }

    func record(_ notice: PodNotice) {
        let path = notice.container.map { name in
            let record = machine.containers.first { $0.name == name }
            let list =
                switch record?.role {
                case .initial, .sidecar: "initContainers"
                case .ephemeral: "ephemeralContainers"
                case .main, nil: "containers"
                }
            return "spec.\(list){\(name)}"
        }
        node.events.record(
            machine.pod, notice.warning ? .warning : .normal, reason: notice.reason, message: notice.message,
            fieldPath: path)
    }

    func status() -> JSON { machine.status(hostAddress: node.configuration.address, now: .now) }

    // MARK: - The pod as a whole

    func downward() -> DownwardAPI {
        let configuration = node.configuration
        let address = pod.spec["hostNetwork"].bool == true ? configuration.address : machine.address
        return DownwardAPI(
            pod: pod, address: address, hostAddress: configuration.address,
            allocatable: configuration.shape.capacity.compactMapValues { Quantity($0) })
    }

    func volumes() -> PodVolumes {
        PodVolumes(paths: paths, host: VolumeHost(downward: downward(), lookup: lookup, tokens: node.tokens))
    }

    var lookup: ReferenceLookup {
        let namespace = pod.namespace
        return { [references = node.references, uid] type, name in
            await references.get(type, namespace: namespace, name: name, pod: uid)
        }
    }

    private func prepareVolumes() async {
        do {
            inbox.yield(.volumesReady(renewal: try await volumes().setUp()))
        } catch is CancellationError {
            return
        } catch {
            inbox.yield(.volumesFailed("\(error)"))
        }
    }

    private func startSandbox() async {
        do {
            let sandbox = try await sandbox()
            if pod.spec["hostPID"].bool == true {
                record(
                    .warning(
                        "HostPIDNotSupported",
                        "hostPID is not supported by this node: the pod's containers see each other's processes only"))
            }
            inbox.yield(.sandboxReady(address: sandbox.address))
        } catch is CancellationError {
            return
        } catch {
            inbox.yield(.sandboxFailed("\(error)"))
        }
    }

    /// Starts the sandbox, or finds it as it runs.
    func sandbox() async throws -> Sandbox {
        let pod = Pod(pod)
        let address = pod.hostNetwork ? nil : try await node.addresses.take(uid: uid)
        let configuration = node.configuration
        let files = PodFiles(
            pod: pod.object, nodeName: configuration.nodeName, address: address ?? configuration.address,
            dnsAddress: configuration.dnsAddress, clusterDomain: configuration.clusterDomain)
        let paths = paths
        try await Blocking.run { () throws(SystemError) in try files.write(to: paths) }
        // Checked at the pod's admission.
        let sysctls = pod.spec["securityContext"]["sysctls"].items.compactMap { item in
            item["name"].string.flatMap(Sysctl.init).map { ($0, item["value"].string ?? "") }
        }
        return try await node.runtime.startSandbox(
            SandboxConfiguration(
                podUID: uid, namespace: pod.object.namespace, name: pod.object.name,
                hostname: systemHostname(
                    of: pod.object, nodeName: configuration.nodeName, clusterDomain: configuration.clusterDomain),
                address: address,
                // The nearest to `hostPID`, with an event.
                sharesProcesses: pod.spec["shareProcessNamespace"].bool == true || pod.spec["hostPID"].bool == true,
                sharesHostIPC: pod.spec["hostIPC"].bool ?? false,
                sysctls: Dictionary(sysctls, uniquingKeysWith: { $1 }), qosClass: pod.qosClass.rawValue,
                limits: pod.runtimeLimits(processes: configuration.shape.podProcesses),
                outOfMemoryScore: pod.outOfMemoryScore(
                    memory: configuration.shape.capacity["memory"].flatMap { Quantity($0) }?.value ?? 0)))
    }

    private func conclude() async {
        await reporter.flush(status())
        await removeSandbox()
        await node.addresses.release(uid: uid)
        inbox.yield(.concluded)
    }

    private func finish(deleteFromAPI: Bool) async {
        if deleteFromAPI {
            async let written: Void = reporter.flush(status())
            await removeSandbox()
            await written
            let pod = pod
            let client = node.client
            await retry("deleting the pod") {
                try await client.deleteIfPresent(.pods, pod.key, uid: pod.uid, gracePeriodSeconds: 0)
            }
        } else {
            await removeSandbox()
        }
        await node.addresses.release(uid: uid)
        await node.references.release(pod: uid)
        await node.tokens.forget(pod: uid)
        let (paths, uid, configuration) = (paths, uid, node.configuration)
        await Blocking.run {
            removePodDirectories(uid, of: configuration.paths)
            try? removeTree(paths.logs)
        }
        inbox.yield(.finished)
    }

    private nonisolated func removeSandbox() async {
        await retry("removing the sandbox") { try await node.runtime.removeSandbox(podUID: uid) }
    }

    /// Tries until it succeeds, with a growing wait between attempts.
    private nonisolated func retry(_ what: String, _ body: @Sendable () async throws -> Void) async {
        try? await Retrying.retry(
            .podRemoval,
            failed: { node.logger.warning("pod \(uid): \(what) failed, trying again: \($0)") }, body)
    }
}

extension Pod {
    /// Limits of the pod's cgroup: the containers' sums, where each of them has one.
    func runtimeLimits(processes: Int?) -> ResourceLimits {
        var limits = limits
        for name in ["cpu", "memory"] where !containers.allSatisfy({ $0.limits[name] != nil }) { limits[name] = nil }
        var result = ResourceLimits(requests: requests, limits: limits)
        result.processes = processes
        return result
    }

    /// Which pods the kernel kills first where memory is short on the machine: the kubelet's values, for the whole pod.
    ///
    /// - Parameter memory: the node's.
    func outOfMemoryScore(memory: Int) -> Int {
        switch qosClass {
        case .guaranteed: return -997
        case .bestEffort: return 1000
        case .burstable:
            guard memory > 0 else { return 999 }
            return min(max(1000 - 1000 * min(requests["memory"]?.value ?? 0, memory) / memory, 3), 999)
        }
    }
}
