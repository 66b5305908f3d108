import APIMachinery
import KubernetesModel

extension Kind {
    static let node = Kind(
        Group.core.row(
            "nodes", "Node", namespaced: false, short: ["no"], status: true, others: [.proxy("NodeProxyOptions")]),
        validate: { $0.taints($1) },
        validateSubresources: ["status": { validation, object, _ in validation.taints(object) }],
        columns: nodeColumns,
        // Nodes register with their status, so it is kept at creation. Once set, their pod addresses stay.
        strategy: Strategy(prepareForUpdate: { node, old in
            for field in ["podCIDR", "podCIDRs", "providerID"] where !old.spec[field].isNull {
                node.spec[field] = old.spec[field]
            }
        }),
        selectableFields: ["spec.unschedulable"])

    private static let nodeColumns = Table.Columns([
        .name, "Status", "Roles", .age, "Version", .wide("Internal-IP"), .wide("External-IP"), .wide("OS-Image"),
        .wide("Kernel-Version"), .wide("Container-Runtime"),
    ]) { object, now in
        let node = Node(object)
        var status = ["Unknown"]
        if let ready = object.condition("Ready") { status = [ready.isTrue ? "Ready" : "NotReady"] }
        if node.isUnschedulable { status.append("SchedulingDisabled") }
        let prefix = "node-role.kubernetes.io/"
        var roles = object.labels.keys.filter { $0.hasPrefix(prefix) && $0.count > prefix.count }
            .map { String($0.dropFirst(prefix.count)) }
        if let role = object.labels["kubernetes.io/role"], !role.isEmpty { roles.append(role) }
        let system = object.status["nodeInfo"]
        return [
            .string(object.name), .string(status.joined(separator: ",")), Table.joined(Set(roles).sorted()),
            object.age(now), .string(system["kubeletVersion"].string ?? ""),
            .string(node.internalIP ?? "<none>"), .string(node.address("ExternalIP") ?? "<none>"),
            Table.text(system["osImage"], absent: "<unknown>"),
            Table.text(system["kernelVersion"], absent: "<unknown>"),
            Table.text(system["containerRuntimeVersion"], absent: "<unknown>"),
        ]
    }
}

extension Validation {
    fileprivate mutating func taints(_ node: Object) {
        var seen: Set<[String]> = []
        for (index, json) in node.spec["taints"].items.enumerated() {
            let taint = Taint(json)
            invalid("spec.taints[\(index)].key", .string(taint.key), each: Names.qualifiedName(taint.key))
            invalid("spec.taints[\(index)].value", .string(taint.value), each: Names.labelValue(taint.value))
            oneOf(
                "spec.taints[\(index)].effect", json["effect"], ["NoSchedule", "PreferNoSchedule", "NoExecute"],
                required: true)
            if !seen.insert([taint.key, taint.effect]).inserted { duplicate("spec.taints[\(index)]", json) }
        }
    }
}
