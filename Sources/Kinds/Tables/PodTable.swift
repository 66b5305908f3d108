import APIMachinery
import KubernetesModel

extension Table {
    static let pods = Printer([
        .name, Column("Ready", description: "Containers that are ready, of all."),
        Column("Status", description: "What the pod and its containers are doing."),
        Column("Restarts", description: "How often containers were restarted, and when last."), .age,
        Column("IP", wide: true), Column("Node", wide: true), Column("Nominated Node", wide: true),
        Column("Readiness Gates", wide: true),
    ]) { object, now in
        let pod = Pod(object)
        let summary = PodSummary(pod)
        var restarts = String(summary.restarts)
        if summary.restarts > 0, let last = summary.lastRestart { restarts += " (\(ago(last, now)) ago)" }
        let gates = pod.spec["readinessGates"].items.compactMap { $0["conditionType"].string }
        let open = gates.filter { object.isConditionTrue($0) }.count
        return [
            .string(object.name), .string("\(summary.ready)/\(summary.total)"), .string(summary.status),
            .string(restarts), object.age(now), .string(pod.podIP ?? "<none>"), .string(pod.nodeName ?? "<none>"),
            .string(pod.status["nominatedNodeName"].string ?? "<none>"),
            gates.isEmpty ? "<none>" : .string("\(open)/\(gates.count)"),
        ]
    }
}

/// What `kubectl get pods` says of a pod.
public struct PodSummary: Sendable, Hashable {
    public private(set) var status: String
    public private(set) var ready = 0
    public private(set) var total: Int
    public private(set) var restarts = 0
    public private(set) var lastRestart: Timestamp?

    public init(_ pod: Pod) {
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

    /// Whether an init container is not done yet; then the status tells which and why.
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
