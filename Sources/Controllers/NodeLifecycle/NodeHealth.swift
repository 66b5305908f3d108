import KubernetesModel

/// What a node's conditions and taints should be, from when it was last heard of.
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

    /// The status of a node that has not been heard of for too long: nothing is known about it.
    static func silentStatus(of node: Object, now: Timestamp) -> JSON {
        var status = node.status
        var conditions = status["conditions"].items
        for type in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
            let index = conditions.firstIndex { $0["type"].string == type }
            guard let index else {
                conditions.append([
                    "type": .string(type), "status": "Unknown", "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                    "lastHeartbeatTime": .string((node.creationTimestamp ?? now).description),
                    "lastTransitionTime": .string(now.description),
                ])
                continue
            }
            guard conditions[index]["status"].string != "Unknown" else { continue }
            conditions[index]["status"] = "Unknown"
            conditions[index]["reason"] = "NodeStatusUnknown"
            conditions[index]["message"] = "Kubelet stopped posting node status."
            conditions[index]["lastTransitionTime"] = .string(now.description)
        }
        status["conditions"] = .array(conditions)
        return status
    }

    /// The taints of a node with this status. Those of others stay as they are.
    static func taints(of node: Object, now: Timestamp) -> [JSON] {
        var wanted: [Taint] = []
        func add(_ key: String, _ effects: [String]) {
            for effect in effects { wanted.append(Taint(key: key, effect: effect)) }
        }
        switch node.status["conditions"].condition("Ready")["status"].string {
        case "True": break
        case "Unknown": add(unreachable, ["NoSchedule", "NoExecute"])
        // A node without the condition has only just come.
        case nil: add(notReady, ["NoSchedule"])
        default: add(notReady, ["NoSchedule", "NoExecute"])
        }
        for (condition, key) in pressures.sorted(by: { $0.key < $1.key })
        where node.status["conditions"].condition(condition)["status"].string == "True" {
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

/// When a pod has to leave a node because of the node's `NoExecute` taints.
enum Eviction {
    /// How long a pod that says nothing about it stays on a node that is not ready or not reachable.
    private static let defaultSeconds = 300

    /// Nil for never. A moment in the past means now.
    static func moment(of pod: Object, on node: Object, now: Timestamp) -> Timestamp? {
        var moment: Timestamp?
        let tolerations = Pod(pod).tolerations
        for json in node.spec["taints"].items {
            let taint = Taint(json)
            guard taint.effect == "NoExecute" else { continue }
            let added = json["timeAdded"].string.flatMap(Timestamp.init) ?? now
            let matching = tolerations.filter { $0.tolerates(taint) }
            let seconds: Int
            if matching.isEmpty {
                let isHealth = taint.key == NodeHealth.notReady || taint.key == NodeHealth.unreachable
                seconds = isHealth ? defaultSeconds : 0
            } else {
                // One toleration without a limit tolerates for ever; otherwise the shortest counts.
                let limits = matching.compactMap(\.tolerationSeconds)
                guard limits.count == matching.count, let shortest = limits.min() else { continue }
                seconds = max(0, shortest)
            }
            let end = added.advanced(by: Double(seconds))
            moment = moment.map { min($0, end) } ?? end
        }
        return moment
    }
}
