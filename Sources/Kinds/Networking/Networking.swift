import APIMachinery
import KubernetesModel

extension Group {
    static let networking = Group("networking.k8s.io", "v1")
}

/// The kinds of networking.k8s.io that have columns and little else.
extension Kind {
    static let ingressClass = Kind(
        Group.networking.row("ingressclasses", "IngressClass", namespaced: false),
        defaults: { ingressClass in
            ingressClass.json.change("spec") { $0.change("parameters") { $0.fill("scope", "Cluster") } }
        },
        validate: { validation, ingressClass in
            if ingressClass.spec["controller"].string?.isEmpty ?? true { validation.required("spec.controller") }
        },
        columns: Table.Columns([.name, "Controller", "Parameters", .age]) { object, now in
            let parameters = object.spec["parameters"]
            var reference = parameters["kind"].string ?? "<none>"
            if let group = parameters["apiGroup"].string { reference += ".\(group)" }
            if let name = parameters["name"].string { reference += "/\(name)" }
            return [.string(object.name), object.spec["controller"], .string(reference), object.age(now)]
        })

    static let ipAddress = Kind(
        Group.networking.row("ipaddresses", "IPAddress", namespaced: false, short: ["ip"]), name: { _ in [] },
        columns: Table.Columns([.name, "ParentRef"]) { object, _ in
            let parent = object.spec["parentRef"]
            let parts = [parent["group"], parent["resource"], parent["namespace"], parent["name"]]
            return [.string(object.name), .string(parts.compactMap(\.string).joined(separator: "/"))]
        })

    static let serviceCIDR = Kind(
        Group.networking.row("servicecidrs", "ServiceCIDR", namespaced: false, status: true),
        columns: Table.Columns([.name, "CIDRs", .age]) { object, now in
            [.string(object.name), Table.joined(object.spec["cidrs"].strings), object.age(now)]
        })
}
