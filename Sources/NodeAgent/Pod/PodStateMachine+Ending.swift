import KubernetesModel

/// How a pod's containers are stopped, and what follows.
extension PodStateMachine {
    mutating func beginDeletion(now: Timestamp) {
        let grace = Self.seconds(pod.metadata["deletionGracePeriodSeconds"]) ?? gracePeriod
        switch stage {
        case .active: beginStopping(.deleted, grace: grace, now: now)
        case .stopping(_, let deadline): stage = .stopping(.deleted, deadline: min(deadline, now.advanced(by: grace)))
        case .idle: finish()
        case .concluding, .finishing, .finished: break
        }
    }

    /// The API has the pod no more: what runs is stopped all the same, with the kubelet's grace period of one second.
    mutating func disappear(now: Timestamp) {
        isGone = true
        switch stage {
        case .active: beginStopping(.gone, grace: 1, now: now)
        case .stopping(_, let deadline): stage = .stopping(.gone, deadline: min(deadline, now.advanced(by: 1)))
        case .idle: finish()
        // What is under way goes on, and looks at `isGone` then.
        case .concluding, .finishing, .finished: break
        }
    }

    /// The last status is written and the sandbox removed.
    mutating func concluded() {
        guard stage == .concluding else { return }
        if isGone || pod.isBeingDeleted { finish() } else { stage = .idle }
    }

    private mutating func finish() {
        stage = .finishing
        actions.append(.finish(deleteFromAPI: !isGone))
    }

    mutating func beginStopping(_ ending: Ending, grace: Double, now: Timestamp) {
        if case .failed(let reason, let message) = ending { failure = (reason, message) }
        stage = .stopping(ending, deadline: now.advanced(by: grace))
    }

    /// Ends a pod that uses more of the node than it may, as the kubelet's eviction does.
    mutating func evict(_ message: String, now: Timestamp) {
        guard stage == .active else { return }
        actions.append(.record(.warning("Evicted", message)))
        beginStopping(.failed(reason: Self.evicted, message: message), grace: 1, now: now)
    }

    static let evicted = "Evicted"

    var gracePeriod: Double { Self.seconds(pod.spec["terminationGracePeriodSeconds"]) ?? 30 }

    /// A grace period, no longer than a clock can wait.
    static func seconds(_ json: JSON) -> Double? { json.int.map { Double(min($0, Int(Int32.max))) } }

    mutating func advanceStopping(_ ending: Ending, deadline: Timestamp, now: Timestamp) {
        let alive = containers.indices.filter { containers[$0].isRunning || containers[$0].isStarting }
        let others = alive.filter { containers[$0].role != .sidecar }
        if !others.isEmpty {
            for index in others { stop(index, deadline: deadline, now: now) }
            // Sidecars outlive the containers that they serve, but not the grace period.
            if now < deadline {
                actions.append(.wake(at: deadline))
                return
            }
        }
        let sidecars = alive.filter { containers[$0].role == .sidecar }
        if now >= deadline {
            for index in sidecars { stop(index, deadline: deadline, now: now) }
        } else if let last = sidecars.last {
            stop(last, deadline: deadline, now: now)
        }
        let isBusy =
            volumeUpdates.isUnderWay || [volumes, sandbox].contains { if case .underWay = $0 { true } else { false } }
        guard alive.isEmpty, !isBusy else { return }
        switch ending {
        case .deleted, .gone: finish()
        case .completed, .failed:
            stage = .concluding
            actions.append(.conclude)
        }
    }

    private mutating func stop(_ index: Int, deadline: Timestamp, now: Timestamp) {
        guard containers[index].isRunning else { return }
        if let earlier = containers[index].stopDeadline, earlier <= deadline { return }
        if containers[index].stopDeadline == nil {
            let name = containers[index].name
            actions.append(.record(.normal("Killing", "Stopping container \(name)", container: name)))
        }
        containers[index].stopDeadline = deadline
        let id = containers[index].id(podUID: uid)
        // Readiness is still reported: a terminating pod that is ready serves where no other does.
        actions.append(.stopProbes(id, [.startup, .liveness]))
        actions.append(.stop(id, grace: max(0, deadline.since(now))))
    }
}
