import KubernetesModel

extension Service {
    /// Whether each of the ports has a node port.
    package var usesNodePorts: Bool {
        switch type {
        case "NodePort": true
        case "LoadBalancer": spec["allocateLoadBalancerNodePorts"].bool ?? true
        default: false
        }
    }
}

enum ServiceUpdate {
    /// What a client leaves out of an update stays as it was, unless the new type has no use for it.
    @Sendable static func carryOver(_ object: inout Object, _ old: Object) {
        let before = Service(old)
        let after = Service(object)
        guard after.type != "ExternalName", before.type != "ExternalName" else { return }
        if (object.spec["clusterIP"].string ?? "").isEmpty {
            object.spec["clusterIP"] = old.spec["clusterIP"]
            object.spec["clusterIPs"] = old.spec["clusterIPs"]
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] where object.spec[field].isNull {
            object.spec[field] = old.spec[field]
        }
        guard after.usesNodePorts, before.usesNodePorts else { return }
        var ports = object.spec["ports"].items
        for index in ports.indices where (ports[index]["nodePort"].int ?? 0) == 0 {
            // A port is the same as long as its name is.
            let same = old.spec["ports"].items.first { $0["name"] == ports[index]["name"] }
            if let same, !ports.contains(where: { $0["nodePort"] == same["nodePort"] }) {
                ports[index]["nodePort"] = same["nodePort"]
            }
        }
        object.spec["ports"] = .array(ports)
    }
}
