import KubernetesModel

/// The conditions and taints of a node, by its heartbeat.
enum NodeHealth {
    static let notReady = "node.kubernetes.io/not-ready"
    static let unreachable = "node.kubernetes.io/unreachable"
    static let unschedulable = "node.kubernetes.io/unschedulable"

    private static let pressures = [
        "MemoryPressure": "node.kubernetes.io/memory-pressure", "DiskPressure": "node.kubernetes.io/disk-pressure",
        "PIDPressure": "node.kubernetes.io/pid-pressure",
        "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
    ]
    private static let all = Set([notReady, unreachable, unschedulable] + pressures.values)

    /// The status of a node without a heartbeat for too long: its conditions are `Unknown`.
    static func silentStatus(of node: Object, now: Timestamp) -> JSON {
        var conditions = node.status.conditions
        for type in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
            if let present = conditions[type] {
                guard present.status != "Unknown" else { continue }
                conditions.set(
                    Condition(
                        type, status: "Unknown", reason: "NodeStatusUnknown",
                        message: "Kubelet stopped posting node status."), now: now)
            } else {
                var condition = Condition(
                    type, status: "Unknown", reason: "NodeStatusNeverUpdated",
                    message: "Kubelet never posted node status.")
                condition.lastHeartbeatTime = node.creationTimestamp ?? now
                conditions.set(condition, now: now)
            }
        }
        var status = node.status
        status.conditions = conditions
        return status
    }

    /// The taints of a node with this status. Those of others stay as they are.
    static func taints(of node: Object, now: Timestamp) -> [JSON] {
        var wanted: [Taint] = []
        func add(_ key: String, _ effects: [String]) {
            for effect in effects { wanted.append(Taint(key: key, effect: effect)) }
        }
        switch node.condition("Ready")?.status {
        case "True": break
        case "Unknown": add(unreachable, ["NoSchedule", "NoExecute"])
        // A node without the condition has only just come.
        case nil: add(notReady, ["NoSchedule"])
        default: add(notReady, ["NoSchedule", "NoExecute"])
        }
        for (condition, key) in pressures.sorted(by: { $0.key < $1.key })
        where node.isConditionTrue(condition) {
            add(key, ["NoSchedule"])
        }
        if node.spec["unschedulable"].bool == true { add(unschedulable, ["NoSchedule"]) }

        var taints = node.spec["taints"].items.filter { json in
            let taint = Taint(json)
            return !all.contains(taint.key) || wanted.contains { $0.key == taint.key && $0.effect == taint.effect }
        }
        for taint in wanted
        where !taints.contains(where: { $0["key"].string == taint.key && $0["effect"].string == taint.effect }) {
            taints.append([
                "key": .string(taint.key), "effect": .string(taint.effect), "timeAdded": .string(now.description),
            ])
        }
        return taints
    }
}
