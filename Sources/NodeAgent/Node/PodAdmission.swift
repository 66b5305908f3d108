import KubernetesModel

/// Whether a node takes a pod that was bound to it, checked once more after the scheduler (the kubelet's pod admit
/// handlers).
struct PodAdmission: Sendable {
    let allocatable: ResourceList
    let labels: [String: String]
    var allowedUnsafeSysctls: [SysctlPattern] = []

    struct Rejection: Sendable, Equatable {
        let reason: String
        let message: String
    }

    /// Nil where the pod may run beside `others`.
    func check(_ pod: Pod, others: [Pod]) -> Rejection? {
        if !matchesNode(pod) {
            return Rejection(
                reason: "NodeAffinity",
                message:
                    "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
            )
        }
        if let rejection = forbiddenSysctl(pod) { return rejection }
        if let most = allocatable["pods"]?.value, others.count + 1 > most {
            return shortage("pods", requested: 1, used: others.count, capacity: most)
        }
        var used: ResourceList = [:]
        for other in others { used.add(other.requests) }
        for (name, amount) in pod.requests.sorted(by: { $0.key < $1.key }) where !amount.isZero {
            let capacity = allocatable[name] ?? .zero
            guard (used[name] ?? .zero) + amount > capacity else { continue }
            func count(_ quantity: Quantity) -> Int { name == "cpu" ? quantity.milliValue : quantity.value }
            return shortage(
                name, requested: count(amount), used: count(used[name] ?? .zero), capacity: count(capacity))
        }
        return nil
    }

    /// A kernel parameter that is not the pod's own, or that could harm others and is not allowed by the node.
    private func forbiddenSysctl(_ pod: Pod) -> Rejection? {
        func forbidden(_ name: String, _ reason: String) -> Rejection {
            Rejection(reason: "SysctlForbidden", message: "forbidden sysctl: \"\(name)\" \(reason)")
        }
        for item in pod.spec["securityContext"]["sysctls"].items {
            let name = item["name"].string ?? ""
            guard let sysctl = Sysctl(name), let namespace = sysctl.namespace,
                sysctl.isSafe || allowedUnsafeSysctls.contains(where: { $0.matches(sysctl) })
            else { return forbidden(name, "not allowlisted") }
            if namespace == .network, pod.hostNetwork { return forbidden(name, "not allowed with host net enabled") }
            if namespace == .ipc, pod.spec["hostIPC"].bool == true {
                return forbidden(name, "not allowed with host ipc enabled")
            }
        }
        return nil
    }

    private func shortage(_ name: String, requested: Int, used: Int, capacity: Int) -> Rejection {
        Rejection(
            reason: "OutOf\(name)",
            message: "Pod was rejected: Node didn't have enough resource: \(name), requested: \(requested), "
                + "used: \(used), capacity: \(capacity)")
    }

    private func matchesNode(_ pod: Pod) -> Bool {
        for (key, value) in pod.spec["nodeSelector"].stringMap where labels[key] != value { return false }
        let required = pod.spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        guard !required.isNull else { return true }
        return required["nodeSelectorTerms"].items.contains { term in
            let expressions = term["matchExpressions"].items
            return !expressions.isEmpty && expressions.allSatisfy(matches)
        }
    }

    private func matches(_ expression: JSON) -> Bool {
        let value = labels[expression["key"].string ?? ""]
        let values = expression["values"].strings
        switch expression["operator"].string {
        case "In": return value.map(values.contains) ?? false
        case "NotIn": return !(value.map(values.contains) ?? false)
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt": return Self.compare(value, values.first, >)
        case "Lt": return Self.compare(value, values.first, <)
        default: return false
        }
    }

    private static func compare(_ left: String?, _ right: String?, _ order: (Int, Int) -> Bool) -> Bool {
        guard let left = left.flatMap({ Int($0) }), let right = right.flatMap({ Int($0) }) else { return false }
        return order(left, right)
    }
}
