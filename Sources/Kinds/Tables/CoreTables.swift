import APIMachinery
import KubernetesModel

extension Table.Printer {
    private typealias Column = Table.Column

    static let core: [String: Table.Printer] = [
        "/Service": services,
        "/Endpoints": Table.Printer([.name, Column("Endpoints"), .age]) { object, now in
            var addresses: [String] = []
            for subset in object["subsets"].items {
                let ports = subset["ports"].items.compactMap { $0["port"].int }
                for address in subset["addresses"].items.compactMap({ $0["ip"].string }) {
                    addresses += ports.isEmpty ? [address] : ports.map { "\(address):\($0)" }
                }
            }
            return [.string(object.name), .string(firstThree(addresses)), object.age(now)]
        },
        "/Node": nodes,
        "/Namespace": Table.Printer([.name, Column("Status"), .age]) { object, now in
            [.string(object.name), object.status["phase"], object.age(now)]
        },
        "/ConfigMap": Table.Printer([.name, Column("Data"), .age]) { object, now in
            let count = (object["data"].object?.count ?? 0) + (object["binaryData"].object?.count ?? 0)
            return [.string(object.name), JSON(count), object.age(now)]
        },
        "/Secret": Table.Printer([.name, Column("Type"), Column("Data"), .age]) { object, now in
            [.string(object.name), object["type"], JSON(object["data"].object?.count ?? 0), object.age(now)]
        },
        "/ServiceAccount": Table.Printer([.name, Column("Secrets"), .age]) { object, now in
            [.string(object.name), JSON(object["secrets"].items.count), object.age(now)]
        },
        "/PersistentVolume": persistentVolumes,
        "/PersistentVolumeClaim": persistentVolumeClaims,
        "/Event": events,
        "events.k8s.io/Event": events,
        "/ComponentStatus": Table.Printer([
            .name, Column("Status"), Column("Message"), Column("Error"),
        ]) { object, _ in
            let healthy = object["conditions"].items.first { $0["type"] == "Healthy" } ?? [:]
            return [
                .string(object.name), healthy["status"] == "True" ? "Healthy" : "Unhealthy",
                .string(healthy["message"].string ?? ""), .string(healthy["error"].string ?? ""),
            ]
        },
        "/ResourceQuota": Table.Printer([.name, Column("Request"), Column("Limit"), .age]) { object, now in
            var requests: [String] = []
            var limits: [String] = []
            for (name, hard) in (object.status["hard"].object ?? [:]).sorted(by: { $0.key < $1.key }) {
                let used = object.status["used"][name].string ?? "0"
                let text = "\(name): \(used)/\(hard.string ?? "")"
                if name.hasPrefix("limits.") { limits.append(text) } else { requests.append(text) }
            }
            return [
                .string(object.name), .string(requests.joined(separator: ", ")),
                .string(limits.joined(separator: ", ")), object.age(now),
            ]
        },
        "/LimitRange": created,
    ]

    /// NAME and CREATED AT.
    static let created = Table.Printer([.name, .createdAt]) { object, _ in
        [.string(object.name), object.metadata["creationTimestamp"]]
    }

    private static func firstThree(_ texts: [String]) -> String {
        if texts.isEmpty { return "<none>" }
        let shown = texts.prefix(3).joined(separator: ",")
        return texts.count > 3 ? "\(shown) + \(texts.count - 3) more..." : shown
    }

    private static let services = Table.Printer([
        .name, Column("Type"), Column("Cluster-IP"), Column("External-IP"), Column("Port(s)"), .age,
        Column("Selector", wide: true),
    ]) { object, now in
        let service = Service(object)
        let ports = service.ports.map { port in
            port.nodePort.map { "\(port.port):\($0)/\(port.transport)" } ?? "\(port.port)/\(port.transport)"
        }
        let cluster = object.spec["clusterIP"].string ?? ""
        return [
            .string(object.name), .string(service.type), .string(cluster.isEmpty ? "<none>" : cluster),
            .string(externalAddress(service)), Table.joined(ports), object.age(now),
            Table.selector(["matchLabels": object.spec["selector"]]),
        ]
    }

    private static func externalAddress(_ service: Service) -> String {
        switch service.type {
        case "ExternalName": return service.externalName ?? "<none>"
        case "LoadBalancer":
            let given = service.object.status["loadBalancer"]["ingress"].items.compactMap {
                $0["ip"].string ?? $0["hostname"].string
            }
            let all = given + service.externalIPs
            return all.isEmpty ? "<pending>" : all.joined(separator: ",")
        default: return service.externalIPs.isEmpty ? "<none>" : service.externalIPs.joined(separator: ",")
        }
    }

    private static let nodes = Table.Printer([
        .name, Column("Status"), Column("Roles"), .age, Column("Version"), Column("Internal-IP", wide: true),
        Column("External-IP", wide: true), Column("OS-Image", wide: true), Column("Kernel-Version", wide: true),
        Column("Container-Runtime", wide: true),
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
        func known(_ text: String?) -> JSON { .string(text.flatMap { $0.isEmpty ? nil : $0 } ?? "<unknown>") }
        return [
            .string(object.name), .string(status.joined(separator: ",")), Table.joined(Set(roles).sorted()),
            object.age(now), .string(system["kubeletVersion"].string ?? ""),
            .string(node.internalIP ?? "<none>"), .string(node.address("ExternalIP") ?? "<none>"),
            known(system["osImage"].string), known(system["kernelVersion"].string),
            known(system["containerRuntimeVersion"].string),
        ]
    }

    private static func accessModes(_ json: JSON) -> String {
        let short = ["ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"]
        return json.strings.map { short[$0] ?? $0 }.joined(separator: ",")
    }

    private static let persistentVolumes = Table.Printer([
        .name, Column("Capacity"), Column("Access Modes"), Column("Reclaim Policy"), Column("Status"), Column("Claim"),
        Column("StorageClass"), Column("VolumeAttributesClass"), Column("Reason"), .age,
        Column("VolumeMode", wide: true),
    ]) { object, now in
        let claim = object.spec["claimRef"]
        let name = claim.isNull ? "" : "\(claim["namespace"].string ?? "")/\(claim["name"].string ?? "")"
        return [
            .string(object.name), .string(object.spec["capacity"]["storage"].string ?? ""),
            .string(accessModes(object.spec["accessModes"])), object.spec["persistentVolumeReclaimPolicy"],
            .string(object.isBeingDeleted ? "Terminating" : object.status["phase"].string ?? ""), .string(name),
            .string(object.spec["storageClassName"].string ?? ""),
            .string(object.spec["volumeAttributesClassName"].string ?? "<unset>"),
            .string(object.status["reason"].string ?? ""), object.age(now),
            .string(object.spec["volumeMode"].string ?? "<unset>"),
        ]
    }

    private static let persistentVolumeClaims = Table.Printer([
        .name, Column("Status"), Column("Volume"), Column("Capacity"), Column("Access Modes"), Column("StorageClass"),
        Column("VolumeAttributesClass"), .age, Column("VolumeMode", wide: true),
    ]) { object, now in
        let volume = object.spec["volumeName"].string ?? ""
        let isBound = !volume.isEmpty
        return [
            .string(object.name),
            .string(object.isBeingDeleted ? "Terminating" : object.status["phase"].string ?? ""), .string(volume),
            .string(isBound ? object.status["capacity"]["storage"].string ?? "" : ""),
            .string(isBound ? accessModes(object.status["accessModes"]) : ""),
            .string(object.spec["storageClassName"].string ?? ""),
            .string(object.spec["volumeAttributesClassName"].string ?? "<unset>"), object.age(now),
            .string(object.spec["volumeMode"].string ?? "<unset>"),
        ]
    }

    private static let events = Table.Printer([
        Column("Last Seen"), Column("Type"), Column("Reason"), Column("Object"), Column("Subobject", wide: true),
        Column("Source", wide: true), Column("Message"), Column("First Seen", wide: true),
        Column("Count", wide: true), Column("Name", format: "name", wide: true),
    ]) { object, now in
        func field(_ names: String...) -> JSON { names.map { object[$0] }.first { !$0.isNull } ?? .null }
        func moment(_ json: JSON) -> Timestamp? { json.string.flatMap(Timestamp.init) }
        let occurred = moment(object["eventTime"])
        let first = moment(field("firstTimestamp", "deprecatedFirstTimestamp")) ?? occurred
        let last =
            moment(object["series"]["lastObservedTime"])
            ?? moment(field("lastTimestamp", "deprecatedLastTimestamp")) ?? occurred
        let count = object["series"]["count"].int ?? field("count", "deprecatedCount").int ?? 1
        let subject = field("involvedObject", "regarding")
        let source = field("source", "deprecatedSource")
        let component =
            source["component"].string ?? object["reportingComponent"].string
            ?? object["reportingController"].string ?? ""
        let host = source["host"].string ?? object["reportingInstance"].string ?? ""
        func since(_ time: Timestamp?) -> JSON { time.map { .string(Table.ago($0, now)) } ?? "<unknown>" }
        return [
            since(last), object["type"], object["reason"],
            .string("\((subject["kind"].string ?? "").lowercased())/\(subject["name"].string ?? "")"),
            .string(subject["fieldPath"].string ?? ""),
            .string(host.isEmpty ? component : "\(component), \(host)"),
            .string(trimmed(field("message", "note").string ?? "")), since(first), JSON(count), .string(object.name),
        ]
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
