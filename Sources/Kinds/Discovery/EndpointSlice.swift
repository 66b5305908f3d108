import APIMachinery
import KubernetesModel

extension Kind {
    static let endpointSlice = Kind(
        Group("discovery.k8s.io", "v1").row("endpointslices", "EndpointSlice"),
        defaults: { slice in
            slice.json.changeEach("ports") { port in
                port.fill("protocol", "TCP")
                if port["name"].isNull { port["name"] = "" }
            }
        },
        validate: { $0.endpointSlice($1) },
        validateUpdate: { $0.immutable("addressType", $1["addressType"], old: $2["addressType"]) },
        columns: Table.Columns([.name, "AddressType", "Ports", "Endpoints", .age]) { object, now in
            let ports = object["ports"].items.map { $0["port"].int.map(String.init) ?? "*" }
            let addresses = object["endpoints"].items.flatMap { $0["addresses"].strings }
            return [
                .string(object.name), object["addressType"], Table.firstThree(ports, none: "<unset>"),
                Table.firstThree(addresses, none: "<unset>"), object.age(now),
            ]
        })
}

extension Validation {
    fileprivate mutating func endpointSlice(_ object: Object) {
        oneOf("addressType", object["addressType"], ["FQDN", "IPv4", "IPv6"], required: true)
        for (index, endpoint) in object["endpoints"].items.enumerated() {
            let addresses = endpoint["addresses"].items
            if addresses.isEmpty { required("endpoints[\(index)].addresses", "must contain at least 1 address") }
            guard object["addressType"] != "FQDN" else { continue }
            for (position, address) in addresses.enumerated() {
                endpointAddress(address, "endpoints[\(index)].addresses[\(position)]")
            }
        }
        var names: Set<String> = []
        for (index, port) in object["ports"].items.enumerated() {
            let name = port["name"].string ?? ""
            if !names.insert(name).inserted { duplicate("ports[\(index)].name", .string(name)) }
            oneOf("ports[\(index)].protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
        }
    }
}
