import KubernetesModel

/// What `kubectl get pods` says of a pod.
struct PodSummary: Sendable, Hashable {
    private(set) var status: String
    private(set) var ready = 0
    private(set) var total: Int
    private(set) var restarts = 0
    private(set) var lastRestart: Timestamp?

    init(_ pod: Pod) {
        total = pod.containers.count + pod.initContainers.filter(\.isSidecar).count
        status = pod.status["phase"].string ?? "Unknown"
        if let reason = pod.status["reason"].string, !reason.isEmpty { status = reason }
        if pod.object.condition("PodScheduled")?.reason == "SchedulingGated" { status = "SchedulingGated" }
        let sidecars = Set(pod.initContainers.filter(\.isSidecar).map(\.name))
        let isInitializing = readInitContainers(pod, sidecars)
        if !isInitializing || pod.object.isConditionTrue("Initialized") {
            restarts = 0
            lastRestart = nil
            for container in pod.initContainerStatuses where sidecars.contains(container["name"].string ?? "") {
                countRestarts(container)
            }
            readContainers(pod)
        }
        guard pod.object.isBeingDeleted else { return }
        if pod.status["reason"].string == "NodeLost" {
            status = "Unknown"
        } else if !pod.isTerminal {
            status = "Terminating"
        }
    }

    private mutating func countRestarts(_ container: JSON) {
        restarts += container["restartCount"].int ?? 0
        if let ended = container["lastState"]["terminated"]["finishedAt"].string.flatMap(Timestamp.init) {
            lastRestart = max(lastRestart ?? ended, ended)
        }
    }

    /// Whether an init container is not done yet; then the status says which and why.
    private mutating func readInitContainers(_ pod: Pod, _ sidecars: Set<String>) -> Bool {
        for (index, container) in pod.initContainerStatuses.enumerated() {
            countRestarts(container)
            let terminated = container["state"]["terminated"]
            if !terminated.isNull, terminated["exitCode"].int ?? 0 == 0 { continue }
            if sidecars.contains(container["name"].string ?? ""), container["started"].bool == true {
                if container["ready"].bool == true { ready += 1 }
                continue
            }
            if !terminated.isNull {
                status = "Init:" + Self.ending(terminated)
            } else if let reason = container["state"]["waiting"]["reason"].string, !reason.isEmpty,
                reason != "PodInitializing"
            {
                status = "Init:" + reason
            } else {
                status = "Init:\(index)/\(pod.initContainers.count)"
            }
            return true
        }
        return false
    }

    private static func ending(_ terminated: JSON) -> String {
        if let reason = terminated["reason"].string, !reason.isEmpty { return reason }
        if let signal = terminated["signal"].int, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(terminated["exitCode"].int ?? 0)"
    }

    private mutating func readContainers(_ pod: Pod) {
        var isAnyRunning = false
        for container in pod.containerStatuses.reversed() {
            countRestarts(container)
            let state = container["state"]
            if let reason = state["waiting"]["reason"].string, !reason.isEmpty {
                status = reason
            } else if !state["terminated"].isNull {
                status = Self.ending(state["terminated"])
            } else if container["ready"].bool == true, !state["running"].isNull {
                isAnyRunning = true
                ready += 1
            }
        }
        if status == "Completed", isAnyRunning { status = pod.isReady ? "Running" : "NotReady" }
    }
}
