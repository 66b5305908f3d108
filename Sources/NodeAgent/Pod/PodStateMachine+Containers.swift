import KubernetesModel
import PodRuntime
import Retrying

/// How single containers start, end and start again.
extension PodStateMachine {
    private func index(_ id: ContainerID) -> Int? {
        containers.firstIndex { $0.name == id.name && $0.run == id.restart }
    }

    /// Starts a container that does not run, at once or when its delay is over.
    mutating func keepRunning(_ index: Int, now: Timestamp, again: (Termination) -> Bool) {
        switch containers[index].state {
        case .starting, .running: return
        case .waiting(let reason, let message, let until):
            if let until, until > now {
                actions.append(.wake(at: until))
                return
            }
            if reason == "ErrImagePull" {
                backOffPull(index, message: message ?? "", now: now)
                return
            }
            start(index, shown: .waiting(reason: reason, message: message))
        case .terminated(let end):
            guard again(end) else { return }
            let delay = containers[index].crashBackoff.next(afterRunning: .seconds(end.duration)).inSeconds
            let until = end.finishedAt.advanced(by: delay)
            guard delay > 0, until > now else {
                start(index, shown: .terminated(end))
                return
            }
            let name = containers[index].name
            let pod = "\(pod.name)_\(pod.namespace)(\(uid))"
            containers[index].last = end
            containers[index].state = .waiting(
                reason: "CrashLoopBackOff",
                message: "back-off \(goDuration(delay)) restarting failed container=\(name) pod=\(pod)",
                until: until)
            actions.append(
                .record(
                    .warning("BackOff", "Back-off restarting failed container \(name) in pod \(pod)", container: name)))
            actions.append(.wake(at: until))
        }
    }

    private mutating func start(_ index: Int, shown: ContainerRecord.Shown) {
        containers[index].run = nextRun(index)
        containers[index].state = .starting(shown: shown)
        containers[index].stopDeadline = nil
        containers[index].earlyExit = nil
        actions.append(.start(containers[index].id(podUID: uid)))
    }

    /// A run that ended gives the next one the next number; an attempt that never ran gives its own on.
    private func nextRun(_ index: Int) -> Int {
        let record = containers[index]
        guard let run = record.run else { return 0 }
        let ended = ContainerID(podUID: uid, name: record.name, restart: run).apiID
        return record.latestEnd?.containerID == ended ? run + 1 : run
    }

    mutating func started(_ id: ContainerID, _ start: StartedContainer, now: Timestamp) {
        guard let index = index(id), containers[index].isStarting else { return }
        if let end = containers[index].latestEnd { containers[index].last = end }
        containers[index].state = .running(since: start.startedAt)
        containers[index].imageID = start.imageID
        containers[index].hookPending = start.hookPending
        containers[index].pullBackoff.reset()
        startThoseTargeting(id.name)
        if id.restart > 0 {
            actions.append(.forget(ContainerID(podUID: uid, name: id.name, restart: id.restart - 1)))
        }
        if let end = containers[index].earlyExit {
            exited(id, end)
        } else if !start.hookPending, stage == .active {
            becomeStarted(index)
        }
    }

    /// What could not start without the container that now runs is tried again at once.
    private mutating func startThoseTargeting(_ name: String) {
        for index in containers.indices where containers[index].spec["targetContainerName"].string == name {
            if case .waiting(let reason, let message, .some) = containers[index].state,
                reason.hasPrefix("CreateContainer")
            {
                containers[index].state = .waiting(reason: reason, message: message, until: nil)
            }
        }
    }

    /// The pod begins anew in a new sandbox, of which this container is to be a part.
    mutating func sandboxLost(_ id: ContainerID) {
        guard let index = index(id), containers[index].isStarting else { return }
        if let end = containers[index].latestEnd { containers[index].last = end }
        // Waiting, for this start is made up for and not counted again.
        containers[index].state = .waiting(reason: "ContainerCreating", message: nil, until: nil)
        guard sandbox == .done, stage == .active else { return }
        sandboxHasChanged = true
        tellSandboxChange()
        sandbox = .due(attempts: 0)
        isInitialized = false
        initializeAgain()
    }

    mutating func postStartEnded(_ id: ContainerID, failed: Bool, now: Timestamp) {
        guard let index = index(id), containers[index].isRunning else { return }
        containers[index].hookPending = false
        if failed {
            // The hook's output stays out of the event, for it may be secret.
            actions.append(.record(.warning("FailedPostStartHook", "PostStartHook failed", container: id.name)))
            actions.append(.record(.normal("Killing", "FailedPostStartHook", container: id.name)))
            stopOne(index, grace: gracePeriod, now: now)
        } else if stage == .active {
            becomeStarted(index)
        }
    }

    private mutating func becomeStarted(_ index: Int) {
        if !containers[index].has(.startup) {
            containers[index].isStarted = true
            containers[index].isReady = !containers[index].has(.readiness)
        }
        startProbes(index)
    }

    mutating func startProbes(_ index: Int) {
        let kinds: [ProbeKind] = containers[index].isStarted ? [.readiness, .liveness] : [.startup]
        let wanted = kinds.filter { containers[index].has($0) }
        if !wanted.isEmpty { actions.append(.startProbes(containers[index].id(podUID: uid), wanted)) }
    }

    mutating func startFailed(_ id: ContainerID, _ failure: StartFailure, now: Timestamp) {
        guard let index = index(id), containers[index].isStarting else { return }
        let previous = containers[index].latestEnd
        switch failure {
        case .image(let reason, let message):
            if let previous { containers[index].last = previous }
            // The status shows the failed pull for a while, and then that the next attempt waits.
            let delay = reason == "ErrImagePull" ? 2 : containers[index].pullBackoff.next().inSeconds
            containers[index].state = .waiting(reason: reason, message: message, until: now.advanced(by: delay))
            actions.append(.record(.warning("Failed", "Error: \(reason)", container: id.name)))
        case .configuration(let reason, let message):
            if let previous { containers[index].last = previous }
            let known = containers[index].pullBackoff.next().inSeconds
            containers[index].state = .waiting(reason: reason, message: message, until: now.advanced(by: known))
            actions.append(.record(.warning("Failed", "Error: \(message)", container: id.name)))
        case .program(let message):
            if let previous { containers[index].last = previous }
            actions.append(.record(.warning("Failed", "Error: \(message)", container: id.name)))
            containers[index].state = .terminated(
                Termination(
                    exitCode: 128, reason: "StartError", message: message, startedAt: Timestamp(seconds: 0),
                    finishedAt: now, containerID: id.apiID))
        }
    }

    private mutating func backOffPull(_ index: Int, message: String, now: Timestamp) {
        let record = containers[index]
        let image = record.spec["image"].string ?? ""
        let until = now.advanced(by: containers[index].pullBackoff.next().inSeconds - 2)
        containers[index].state = .waiting(
            reason: "ImagePullBackOff", message: "Back-off pulling image \"\(image)\": ErrImagePull: \(message)",
            until: until)
        actions.append(.record(.normal("BackOff", "Back-off pulling image \"\(image)\"", container: record.name)))
        actions.append(.record(.warning("Failed", "Error: ImagePullBackOff", container: record.name)))
        actions.append(.wake(at: until))
    }

    mutating func exited(_ id: ContainerID, _ end: Termination) {
        guard let index = index(id) else { return }
        switch containers[index].state {
        case .starting: containers[index].earlyExit = end
        case .running:
            containers[index].state = .terminated(end)
            containers[index].isReady = false
            containers[index].isStarted = false
            containers[index].hookPending = false
            actions.append(.stopProbes(id, ProbeKind.allCases))
        case .waiting, .terminated: break
        }
    }

    mutating func probed(_ id: ContainerID, _ kind: ProbeKind, _ verdict: ProbeVerdict, now: Timestamp) {
        guard let index = index(id), containers[index].isRunning else { return }
        if kind == .readiness { containers[index].isReady = verdict == .success }
        guard containers[index].stopDeadline == nil else { return }
        switch (kind, verdict) {
        case (.startup, .success):
            guard !containers[index].isStarted else { return }
            containers[index].isStarted = true
            containers[index].isReady = !containers[index].has(.readiness)
            startProbes(index)
        case (.readiness, _), (.liveness, .success): break
        case (.startup, .failure), (.liveness, .failure):
            let name = containers[index].name
            let message = "Container \(name) failed \(kind.rawValue.lowercased()) probe, will be restarted"
            actions.append(.record(.normal("Killing", message, container: name)))
            let own = Self.seconds(containers[index].spec[kind.field]["terminationGracePeriodSeconds"])
            stopOne(index, grace: own ?? gracePeriod, now: now)
        }
    }

    /// Stops one container, which its policy may start again.
    private mutating func stopOne(_ index: Int, grace: Double, now: Timestamp) {
        guard containers[index].stopDeadline == nil else { return }
        containers[index].isReady = false
        containers[index].stopDeadline = now.advanced(by: grace)
        let id = containers[index].id(podUID: uid)
        actions.append(.stopProbes(id, ProbeKind.allCases))
        actions.append(.stop(id, grace: grace))
    }
}
