import KubernetesModel
import Retrying

/// One pod's life on its node, without any input or output.
///
/// Events go in, actions come out. Decisions are made from the state as it is, not from the event that led there:
/// `advance` compares what should run with what does.
struct PodStateMachine: Sendable {
    enum Stage: Sendable, Equatable {
        /// Containers run as the specification says.
        case active
        /// Containers are being stopped.
        case stopping(Ending, deadline: Timestamp)
        /// All has ended; the last status is being written.
        case concluding
        /// A finished pod, which waits for its deletion.
        case idle
        /// Being removed.
        case finishing
        case finished
    }

    /// Why a pod's containers are stopped.
    enum Ending: Sendable, Equatable {
        /// Its main containers have ended, and are not to be started again.
        case completed
        /// The node ends it, with this reason in its status.
        case failed(reason: String, message: String)
        case deleted
        /// The API has it no more.
        case gone
    }

    /// A step of the pod as a whole: volumes, sandbox.
    enum Step: Sendable, Equatable {
        case due(attempts: Int)
        case underWay(attempts: Int)
        case waiting(until: Timestamp, attempts: Int)
        case done
    }

    private(set) var pod: Object
    let uid: String
    var stage = Stage.active
    var volumes = Step.due(attempts: 0)
    var volumeUpdates = VolumeUpdates()
    var sandbox = Step.due(attempts: 0)
    var address: String?
    var containers: [ContainerRecord]
    var isInitialized = false
    /// The reason and message of a pod that the node has failed.
    var failure: (reason: String, message: String)?
    var isGone = false
    /// What runs will be in another sandbox than it was; an event is due.
    var sandboxHasChanged = false
    let startTime: Timestamp
    /// Since when each condition has the status that it has.
    var conditions: [String: (status: Bool, since: Timestamp)] = [:]

    var actions: [PodAction] = []

    init(pod: Object, now: Timestamp) {
        self.pod = pod
        uid = pod.uid
        startTime = pod.status["startTime"].string.flatMap(Timestamp.init) ?? now
        containers = []
        for spec in pod.spec["initContainers"].items {
            let sidecar = spec["restartPolicy"].string == "Always"
            containers.append(ContainerRecord(spec: spec, role: sidecar ? .sidecar : .initial))
        }
        let reason = containers.isEmpty ? "ContainerCreating" : "PodInitializing"
        for spec in pod.spec["containers"].items { containers.append(ContainerRecord(spec: spec, role: .main)) }
        for index in containers.indices {
            containers[index].state = .waiting(reason: reason, message: nil, until: nil)
        }
        addEphemeralContainers()
        restoreConditions()
    }

    /// A pod that this node will not run.
    init(rejected pod: Object, reason: String, message: String, now: Timestamp) {
        self.init(pod: pod, now: now)
        failure = (reason, message)
        stage = .concluding
    }

    // MARK: - Events

    mutating func handle(_ event: PodEvent, now: Timestamp) -> [PodAction] {
        actions = []
        switch event {
        case .specification(let pod):
            let before = self.pod
            self.pod = pod
            // What a downward API volume shows may have changed.
            if before.labels != pod.labels || before.annotations != pod.annotations { referencesChanged(now: now) }
            addEphemeralContainers()
            if pod.isBeingDeleted { beginDeletion(now: now) }
        case .gone: disappear(now: now)
        case .evicted(let message): evict(message, now: now)
        case .volumesReady(let renewal): volumesReady(renewal: renewal, now: now)
        case .volumesFailed(let message): volumesFailed(message, now: now)
        case .sandboxReady(let address):
            self.address = address
            sandbox = .done
        case .sandboxFailed(let message):
            actions.append(
                .record(.warning("FailedCreatePodSandBox", "Failed to create pod sandbox: \(message)")))
            sandbox = retry(sandbox, now: now)
        case .sandboxLost(let id): sandboxLost(id)
        case .started(let id, let start): started(id, start, now: now)
        case .startFailed(let id, let failure): startFailed(id, failure, now: now)
        case .postStartEnded(let id, let failed): postStartEnded(id, failed: failed, now: now)
        case .exited(let id, let end): exited(id, end)
        case .probe(let id, let kind, let verdict): probed(id, kind, verdict, now: now)
        case .referencesChanged: referencesChanged(now: now)
        case .concluded: concluded()
        case .finished: stage = .finished
        case .timer: break
        }
        advance(now: now)
        return actions
    }

    /// Begins anything that is due at the start, or that a dead agent left undone.
    mutating func begin(now: Timestamp) -> [PodAction] {
        actions = []
        if stage == .concluding { actions.append(.conclude) }
        tellSandboxChange()
        if pod.isBeingDeleted { beginDeletion(now: now) }
        advance(now: now)
        return actions
    }

    mutating func tellSandboxChange() {
        guard sandboxHasChanged, stage == .active, !pod.isBeingDeleted else { return }
        sandboxHasChanged = false
        actions.append(.record(.normal("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")))
    }

    private mutating func addEphemeralContainers() {
        for spec in pod.spec["ephemeralContainers"].items
        where !containers.contains(where: { $0.name == spec["name"].string }) {
            containers.append(ContainerRecord(spec: spec, role: .ephemeral))
        }
    }

    private func retry(_ step: Step, now: Timestamp) -> Step {
        guard case .underWay(let attempts) = step else { return step }
        let delay = Backoff.volumes.delay(afterFailure: attempts + 1)
        return .waiting(until: now.advanced(by: delay.inSeconds), attempts: attempts + 1)
    }

    private mutating func volumesReady(renewal: Timestamp?, now: Timestamp) {
        volumes = .done
        volumeUpdates.ended(renewal: renewal, now: now)
    }

    private mutating func volumesFailed(_ message: String, now: Timestamp) {
        // The end of a pod is none of its volumes' faults: its service account gives no more tokens for it.
        if stage == .active { actions.append(.record(.warning("FailedMount", message))) }
        if volumes == .done { volumeUpdates.failed(now: now) } else { volumes = retry(volumes, now: now) }
    }

    private mutating func referencesChanged(now: Timestamp) {
        switch volumes {
        case .waiting(_, let attempts): volumes = .due(attempts: attempts)
        // What is under way may have looked before the change.
        case .underWay, .done: volumeUpdates.ask(at: now)
        case .due: break
        }
        for index in containers.indices {
            if case .waiting("CreateContainerConfigError", let message, .some) = containers[index].state {
                containers[index].state = .waiting(
                    reason: "CreateContainerConfigError", message: message, until: nil)
            }
        }
    }

    // MARK: - Advancing

    private mutating func advance(now: Timestamp) {
        if stage == .active { advanceActive(now: now) }
        if case .stopping(let ending, let deadline) = stage {
            advanceStopping(ending, deadline: deadline, now: now)
        }
    }

    private mutating func advanceActive(now: Timestamp) {
        if let seconds = pod.spec["activeDeadlineSeconds"].int {
            let deadline = startTime.advanced(by: Double(seconds))
            guard now < deadline else {
                let message = "Pod was active on the node longer than the specified deadline"
                actions.append(.record(.normal("DeadlineExceeded", message)))
                beginStopping(.failed(reason: "DeadlineExceeded", message: message), grace: gracePeriod, now: now)
                return
            }
            actions.append(.wake(at: deadline))
        }
        actions += Self.advance(&volumes, .prepareVolumes, now: now)
        actions += Self.advance(&sandbox, .startSandbox, now: now)
        if volumes == .done { actions += volumeUpdates.advance(now: now) }
        guard volumes == .done, sandbox == .done else { return }

        for index in containers.indices where containers[index].role == .ephemeral {
            keepRunning(index, now: now) { _ in false }
        }
        guard advanceInitialization(now: now) else { return }
        let mains = containers.indices.filter { containers[$0].role == .main }
        for index in mains {
            keepRunning(index, now: now, again: restarts)
            // As with the kubelet, containers start in order, and each waits for the postStart hooks before it.
            if containers[index].awaitsPostStart { break }
        }
        let ended = mains.allSatisfy { containers[$0].termination.map { !restarts($0) } ?? false }
        if ended { beginStopping(.completed, grace: gracePeriod, now: now) }
    }

    /// Runs the init containers in order; true once the main containers may run.
    private mutating func advanceInitialization(now: Timestamp) -> Bool {
        for index in containers.indices {
            switch containers[index].role {
            case .main, .ephemeral: continue
            case .sidecar:
                keepRunning(index, now: now) { _ in true }
                guard isInitialized || (containers[index].isRunning && containers[index].isStarted) else {
                    return false
                }
            case .initial:
                if isInitialized { continue }
                let code = containers[index].termination?.exitCode
                if code == 0 { continue }
                if code != nil, pod.spec["restartPolicy"].string == "Never" {
                    beginStopping(.completed, grace: gracePeriod, now: now)
                    return false
                }
                keepRunning(index, now: now) { $0.exitCode != 0 }
                return false
            }
        }
        isInitialized = true
        return true
    }

    private func restarts(_ end: Termination) -> Bool {
        switch pod.spec["restartPolicy"].string {
        case "Never": false
        case "OnFailure": end.exitCode != 0
        default: true
        }
    }

    private static func advance(_ step: inout Step, _ action: PodAction, now: Timestamp) -> [PodAction] {
        switch step {
        case .waiting(let until, let attempts):
            guard until <= now else { return [.wake(at: until)] }
            step = .underWay(attempts: attempts)
            return [action]
        case .due(let attempts):
            step = .underWay(attempts: attempts)
            return [action]
        case .underWay, .done: return []
        }
    }
}
