import APIMachinery
import KubernetesModel

extension Table.Printer {
    private typealias Column = Table.Column

    private static func count(_ json: JSON) -> JSON { JSON(json.items.count) }
    private static func text(_ json: JSON, absent: String = "<none>") -> JSON {
        switch json {
        case .null, .string(""): .string(absent)
        case .string: json
        default: .string(json.description)
        }
    }

    static let others: [String: Table.Printer] = [
        "discovery.k8s.io/EndpointSlice": Table.Printer([
            .name, Column("AddressType"), Column("Ports"), Column("Endpoints"), .age,
        ]) { object, now in
            let ports = object["ports"].items.map { $0["port"].int.map(String.init) ?? "*" }
            let addresses = object["endpoints"].items.flatMap { $0["addresses"].strings }
            func short(_ texts: [String], _ none: String) -> JSON {
                if texts.isEmpty { return .string(none) }
                let shown = texts.prefix(3).joined(separator: ",")
                return .string(texts.count > 3 ? "\(shown) + \(texts.count - 3) more..." : shown)
            }
            return [
                .string(object.name), object["addressType"], short(ports, "<unset>"), short(addresses, "<unset>"),
                object.age(now),
            ]
        },
        "networking.k8s.io/Ingress": ingresses,
        "networking.k8s.io/IngressClass": Table.Printer([
            .name, Column("Controller"), Column("Parameters"), .age,
        ]) { object, now in
            let parameters = object.spec["parameters"]
            var reference = parameters["kind"].string ?? "<none>"
            if let group = parameters["apiGroup"].string { reference += ".\(group)" }
            if let name = parameters["name"].string { reference += "/\(name)" }
            return [.string(object.name), object.spec["controller"], .string(reference), object.age(now)]
        },
        "networking.k8s.io/NetworkPolicy": Table.Printer([.name, Column("Pod-Selector"), .age]) { object, now in
            [.string(object.name), Table.selector(object.spec["podSelector"]), object.age(now)]
        },
        "networking.k8s.io/IPAddress": Table.Printer([.name, Column("ParentRef")]) { object, _ in
            let parent = object.spec["parentRef"]
            let parts = [parent["group"], parent["resource"], parent["namespace"], parent["name"]]
            return [.string(object.name), .string(parts.compactMap(\.string).joined(separator: "/"))]
        },
        "networking.k8s.io/ServiceCIDR": Table.Printer([.name, Column("CIDRs"), .age]) { object, now in
            [.string(object.name), Table.joined(object.spec["cidrs"].strings), object.age(now)]
        },
        "autoscaling/HorizontalPodAutoscaler": autoscalers,
        "policy/PodDisruptionBudget": Table.Printer([
            .name, Column("Min Available"), Column("Max Unavailable"), Column("Allowed Disruptions", "integer"), .age,
        ]) { object, now in
            [
                .string(object.name), text(object.spec["minAvailable"], absent: "N/A"),
                text(object.spec["maxUnavailable"], absent: "N/A"),
                JSON(object.status["disruptionsAllowed"].int ?? 0), object.age(now),
            ]
        },
        "storage.k8s.io/StorageClass": Table.Printer([
            .name, Column("Provisioner"), Column("ReclaimPolicy"), Column("VolumeBindingMode"),
            Column("AllowVolumeExpansion"), .age,
        ]) { object, now in
            let isDefault = object.annotations["storageclass.kubernetes.io/is-default-class"] == "true"
            return [
                .string(isDefault ? "\(object.name) (default)" : object.name), object["provisioner"],
                object["reclaimPolicy"], object["volumeBindingMode"],
                .string(object["allowVolumeExpansion"].bool == true ? "true" : "false"), object.age(now),
            ]
        },
        "storage.k8s.io/VolumeAttachment": Table.Printer([
            .name, Column("Attacher"), Column("PV"), Column("Node"), Column("Attached", "boolean"), .age,
        ]) { object, now in
            [
                .string(object.name), object.spec["attacher"], text(object.spec["source"]["persistentVolumeName"]),
                object.spec["nodeName"], JSON(object.status["attached"].bool ?? false), object.age(now),
            ]
        },
        "storage.k8s.io/CSINode": Table.Printer([.name, Column("Drivers", "integer"), .age]) { object, now in
            [.string(object.name), count(object.spec["drivers"]), object.age(now)]
        },
        "scheduling.k8s.io/PriorityClass": Table.Printer([
            .name, Column("Value", "integer"), Column("Global-Default", "boolean"), .age, Column("PreemptionPolicy"),
        ]) { object, now in
            [
                .string(object.name), object["value"], JSON(object["globalDefault"].bool ?? false), object.age(now),
                object["preemptionPolicy"],
            ]
        },
        "coordination.k8s.io/Lease": Table.Printer([.name, Column("Holder"), .age]) { object, now in
            [.string(object.name), .string(object.spec["holderIdentity"].string ?? ""), object.age(now)]
        },
        "node.k8s.io/RuntimeClass": Table.Printer([.name, Column("Handler"), .age]) { object, now in
            [.string(object.name), object["handler"], object.age(now)]
        },
        "rbac.authorization.k8s.io/Role": created,
        "rbac.authorization.k8s.io/ClusterRole": created,
        "rbac.authorization.k8s.io/RoleBinding": bindings,
        "rbac.authorization.k8s.io/ClusterRoleBinding": bindings,
        "apiextensions.k8s.io/CustomResourceDefinition": created,
        "apiregistration.k8s.io/APIService": Table.Printer([
            .name, Column("Service"), Column("Available"), .age,
        ]) { object, now in
            let service = object.spec["service"]
            let name = service.isNull ? "Local" : "\(service["namespace"].string ?? "")/\(service["name"].string ?? "")"
            let available = object.condition("Available")
            let reason = available.flatMap { $0.isTrue || $0.reason.isEmpty ? nil : " (\($0.reason))" } ?? ""
            return [
                .string(object.name), .string(name), .string((available?.status ?? "Unknown") + reason),
                object.age(now),
            ]
        },
        "admissionregistration.k8s.io/MutatingWebhookConfiguration": webhooks,
        "admissionregistration.k8s.io/ValidatingWebhookConfiguration": webhooks,
        "admissionregistration.k8s.io/ValidatingAdmissionPolicy": Table.Printer([
            .name, Column("Validations", "integer"), Column("ParamKind"), .age,
        ]) { object, now in
            let parameter = object.spec["paramKind"]
            let kind =
                parameter.isNull
                ? "<unset>" : "\(parameter["apiVersion"].string ?? "")/\(parameter["kind"].string ?? "")"
            return [.string(object.name), count(object.spec["validations"]), .string(kind), object.age(now)]
        },
        "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": Table.Printer([
            .name, Column("PolicyName"), Column("ParamRef"), .age,
        ]) { object, now in
            let reference = object.spec["paramRef"]
            let name =
                reference.isNull
                ? "<unset>"
                : "\(reference["namespace"].string.map { "\($0)/" } ?? "")\(reference["name"].string ?? "*")"
            return [.string(object.name), object.spec["policyName"], .string(name), object.age(now)]
        },
        "certificates.k8s.io/CertificateSigningRequest": Table.Printer([
            .name, .age, Column("SignerName"), Column("Requestor"), Column("RequestedDuration"), Column("Condition"),
        ]) { object, now in
            let types = object.conditions.map(\.type)
            var condition = types.first { $0 == "Denied" } ?? types.first { $0 == "Approved" } ?? "Pending"
            if types.contains("Failed") { condition += ",Failed" }
            if object.status["certificate"].string?.isEmpty == false { condition += ",Issued" }
            let duration = object.spec["expirationSeconds"].int.map { Table.duration(Double($0)) }
            return [
                .string(object.name), object.age(now), text(object.spec["signerName"]), text(object.spec["username"]),
                .string(duration ?? "<none>"), .string(condition),
            ]
        },
        "flowcontrol.apiserver.k8s.io/FlowSchema": Table.Printer([
            .name, Column("PriorityLevel"), Column("MatchingPrecedence", "integer"), Column("DistinguisherMethod"),
            .age, Column("MissingPL"),
        ]) { object, now in
            [
                .string(object.name), object.spec["priorityLevelConfiguration"]["name"],
                object.spec["matchingPrecedence"], text(object.spec["distinguisherMethod"]["type"]), object.age(now),
                .string(object.condition("Dangling")?.status ?? "?"),
            ]
        },
        "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": Table.Printer([
            .name, Column("Type"), Column("NominalConcurrencyShares"), Column("Queues"), Column("HandSize"),
            Column("QueueLengthLimit"), .age,
        ]) { object, now in
            let limited = object.spec["limited"]
            let shares = limited.isNull ? object.spec["exempt"] : limited
            let queuing = limited["limitResponse"]["queuing"]
            return [
                .string(object.name), object.spec["type"], text(shares["nominalConcurrencyShares"]),
                text(queuing["queues"]), text(queuing["handSize"]), text(queuing["queueLengthLimit"]), object.age(now),
            ]
        },
    ]

    private static let webhooks = Table.Printer([.name, Column("Webhooks", "integer"), .age]) { object, now in
        [.string(object.name), count(object["webhooks"]), object.age(now)]
    }

    private static let bindings = Table.Printer([
        .name, Column("Role"), .age, Column("Users", wide: true), Column("Groups", wide: true),
        Column("ServiceAccounts", wide: true),
    ]) { object, now in
        let role = object["roleRef"]
        func subjects(_ kind: String) -> JSON {
            .string(
                object["subjects"].items.filter { $0["kind"].string == kind }.map { subject in
                    let name = subject["name"].string ?? ""
                    return kind == "ServiceAccount" ? "\(subject["namespace"].string ?? "")/\(name)" : name
                }.joined(separator: ", "))
        }
        return [
            .string(object.name), .string("\(role["kind"].string ?? "")/\(role["name"].string ?? "")"), object.age(now),
            subjects("User"), subjects("Group"), subjects("ServiceAccount"),
        ]
    }

    private static let ingresses = Table.Printer([
        .name, Column("Class"), Column("Hosts"), Column("Address"), Column("Ports"), .age,
    ]) { object, now in
        let hosts = object.spec["rules"].items.compactMap { $0["host"].string }.filter { !$0.isEmpty }
        let addresses = object.status["loadBalancer"]["ingress"].items.compactMap {
            $0["ip"].string ?? $0["hostname"].string
        }
        let isTLS = !object.spec["tls"].items.isEmpty
        let name = object.spec["ingressClassName"].string ?? object.annotations["kubernetes.io/ingress.class"]
        return [
            .string(object.name), .string(name ?? "<none>"),
            .string(
                hosts.isEmpty
                    ? "*"
                    : hosts.prefix(3).joined(separator: ",")
                        + (hosts.count > 3 ? " + \(hosts.count - 3) more..." : "")),
            .string(addresses.joined(separator: ",")), isTLS ? "80, 443" : "80", object.age(now),
        ]
    }

    private static let autoscalers = Table.Printer([
        .name, Column("Reference"), Column("Targets"), Column("MinPods"), Column("MaxPods"), Column("Replicas"), .age,
    ]) { object, now in
        let target = object.spec["scaleTargetRef"]
        return [
            .string(object.name), .string("\(target["kind"].string ?? "")/\(target["name"].string ?? "")"),
            .string(targets(object)), text(object.spec["minReplicas"], absent: "<unset>"),
            JSON(object.spec["maxReplicas"].int ?? 0), JSON(object.status["currentReplicas"].int ?? 0),
            object.age(now),
        ]
    }

    /// Each metric as `cpu: 20%/80%`, or `<unknown>/80%` before it was measured.
    private static func targets(_ object: Object) -> String {
        if let wanted = object.spec["targetCPUUtilizationPercentage"].int {
            let current = object.status["currentCPUUtilizationPercentage"].int.map { "\($0)%" } ?? "<unknown>"
            return "cpu: \(current)/\(wanted)%"
        }
        let metrics = object.spec["metrics"].items
        if metrics.isEmpty { return "<none>" }
        let current = object.status["currentMetrics"].items
        let texts = metrics.enumerated().map { index, metric -> String in
            let sort = metric["type"].string ?? ""
            let member = sort.prefix(1).lowercased() + sort.dropFirst()
            let wanted = metric[member]["target"]
            let measured = index < current.count ? current[index][member]["current"] : .null
            func amount(_ json: JSON) -> String? {
                json["averageUtilization"].int.map { "\($0)%" } ?? json["averageValue"].string ?? json["value"].string
            }
            let text = "\(amount(measured) ?? "<unknown>")/\(amount(wanted) ?? "<auto>")"
            return metric[member]["name"].string.map { "\($0): \(text)" } ?? text
        }
        let shown = texts.prefix(2).joined(separator: ", ")
        return texts.count > 2 ? "\(shown) + \(texts.count - 2) more..." : shown
    }
}
