import APIMachinery
import KubernetesModel

/// Services. Their addresses and node ports are the API server's to allocate.
extension Kind {
    static let service = Kind(
        Group.core.row(
            "services", "Service", short: ["svc"], all: true, status: true, others: [.proxy("ServiceProxyOptions")]),
        name: Names.label1035,
        defaults: { service in
            service.json.change("spec", ServiceDefaults.spec)
            service.json["status"].fill("loadBalancer", [:])
        },
        validate: { $0.service($1.spec) }, validateUpdate: { $0.serviceUpdate($1, old: $2) },
        columns: serviceColumns,
        strategy: Strategy(
            returnsDeletedObject: true, prepareForCreate: { $0.status = ["loadBalancer": [:]] },
            prepareForUpdate: ServiceUpdate.carryOver),
        selectableFields: ["spec.clusterIP", "spec.type"])

    private static let serviceColumns = Table.Columns([
        .name, "Type", "Cluster-IP", "External-IP", "Port(s)", .age, .wide("Selector"),
    ]) { object, now in
        let service = Service(object)
        let ports = service.ports.map { port in
            port.nodePort.map { "\(port.port):\($0)/\(port.transport)" } ?? "\(port.port)/\(port.transport)"
        }
        return [
            .string(object.name), .string(service.type), Table.text(object.spec["clusterIP"]),
            .string(externalAddress(service)), Table.joined(ports), object.age(now),
            Table.selector(["matchLabels": object.spec["selector"]]),
        ]
    }

    private static func externalAddress(_ service: Service) -> String {
        switch service.type {
        case "ExternalName": return service.externalName ?? "<none>"
        case "LoadBalancer":
            let assigned = service.object.status["loadBalancer"]["ingress"].items.compactMap {
                $0["ip"].string ?? $0["hostname"].string
            }
            let all = assigned + service.externalIPs
            return all.isEmpty ? "<pending>" : all.joined(separator: ",")
        default: return service.externalIPs.isEmpty ? "<none>" : service.externalIPs.joined(separator: ",")
        }
    }
}
