import KubernetesModel
import PodRuntime
import Retrying

/// How a new agent goes on where an earlier one was.
extension PodStateMachine {
    /// Takes over what runs in a sandbox that an earlier agent started, or what its status says once ran.
    mutating func adopt(_ found: Sandbox?, now: Timestamp) {
        let isAlive = (found?.pid ?? 0) != 0
        if let found {
            // A sandbox without a running container may be about to die: it is asked for again, which changes nothing
            // where it is not.
            if found.containers.contains(where: { $0.phase == .running }) { sandbox = .done }
            address = found.address
        }
        let statuses = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"].flatMap {
            pod.status[$0].items
        }
        for index in containers.indices {
            let name = containers[index].name
            let status = statuses.first { $0["name"].string == name } ?? .null
            let runs = (found?.containers ?? []).filter { $0.id.name == name }.sorted { $0.id.restart < $1.id.restart }
            Self.adopt(&containers[index], status: status, runs: runs, now: now)
            if isAlive { Self.resumeBackoff(&containers[index], past: found?.past.filter { $0.id.name == name } ?? []) }
        }
        let hasRun = containers.contains { $0.run != nil || $0.latestEnd != nil }
        let hasRunMains = containers.contains { $0.role == .main && ($0.run != nil || $0.latestEnd != nil) }
        // A new sandbox is prepared anew; but what may not run again does not, also for want of its sandbox.
        let startsAnew = !isAlive && !(hasRun && pod.spec["restartPolicy"].string == "Never")
        if startsAnew {
            sandboxHasChanged = hasRun && !Pod(pod).isTerminal
            initializeAgain()
        }
        guard Pod(pod).isTerminal else {
            isInitialized = !startsAnew && hasRunMains
            return
        }
        isInitialized = hasRunMains
        if let reason = pod.status["reason"].string {
            failure = (reason, pod.status["message"].string ?? "")
        }
        stage = found == nil ? .idle : .concluding
    }

    /// Runs the init containers once more.
    mutating func initializeAgain() {
        for index in containers.indices where containers[index].role == .initial {
            guard let end = containers[index].termination else { continue }
            containers[index].last = end
            containers[index].state = .waiting(reason: "PodInitializing", message: nil, until: nil)
        }
    }

    /// Brings a container's back-off to where it was, from the ends of its runs in this sandbox.
    ///
    /// A run that has no end on the disk although later or earlier ones have was one whose program could not be executed.
    private static func resumeBackoff(_ record: inout ContainerRecord, past: [ContainerState]) {
        guard let current = record.run else { return }
        let known = past.compactMap { state in
            Termination(state, message: nil).map { (state.id.restart, $0.duration) }
        }
        let durations = Dictionary(known, uniquingKeysWith: { $1 })
        let neverRan = durations.isEmpty && record.latestEnd?.reason == "StartError"
        guard let first = neverRan ? 0 : durations.keys.min(), first < current else { return }
        for run in first..<current { _ = record.crashBackoff.next(afterRunning: .seconds(durations[run] ?? 0)) }
    }

    private static func adopt(_ record: inout ContainerRecord, status: JSON, runs: [ContainerState], now: Timestamp) {
        record.imageID = status["imageID"].string ?? ""
        record.last = Termination(status["lastState"]["terminated"])
        let reported = Termination(status["state"]["terminated"])
        let count = status["restartCount"].int ?? 0
        let hasRun =
            reported != nil || record.last != nil || !status["state"]["running"].isNull || count > 0
        if let latest = runs.last, latest.id.restart >= count || !hasRun {
            record.run = latest.id.restart
            if runs.count > 1, let end = Termination(runs[runs.count - 2], message: nil) {
                if record.last?.containerID != end.containerID { record.last = end }
            }
            if let end = Termination(latest, message: reported?.message) {
                record.state = .terminated(reported?.containerID == end.containerID ? reported ?? end : end)
            } else {
                record.state = .running(since: latest.startedAt)
                let same = status["containerID"].string == latest.id.apiID
                record.isStarted = !record.has(.startup) || (same && status["started"].bool == true)
                record.isReady =
                    record.isStarted && (!record.has(.readiness) || (same && status["ready"].bool == true))
            }
            return
        }
        guard hasRun else { return }
        record.run = count
        if let reported {
            record.state = .terminated(reported)
        } else if let since = status["state"]["running"]["startedAt"].string.flatMap(Timestamp.init) {
            // The kubelet's message for a container whose end nobody saw.
            record.state = .terminated(
                Termination(
                    exitCode: 137, reason: "ContainerStatusUnknown",
                    message: "The container could not be located when the pod was terminated", startedAt: since,
                    finishedAt: now, containerID: status["containerID"].string ?? ""))
        } else if let last = record.last {
            record.state = .terminated(last)
            record.last = nil
        }
    }

    /// Probes of the containers that were adopted running.
    mutating func resumeProbes() -> [PodAction] {
        actions = []
        for index in containers.indices where containers[index].isRunning { startProbes(index) }
        return actions
    }
}
