import APIMachinery
import Addresses
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
    private static let maxEndpoints = 1000
    private static let maxAddresses = 100
    private static let maxPorts = 20_000

    fileprivate mutating func endpointSlice(_ object: Object) {
        let type = object["addressType"]
        oneOf("addressType", type, ["FQDN", "IPv4", "IPv6"], required: true)
        let endpoints = object["endpoints"].items
        if endpoints.count > Self.maxEndpoints {
            tooMany("endpoints", endpoints.count, max: Self.maxEndpoints)
        } else {
            for (index, endpoint) in endpoints.enumerated() { sliceEndpoint(endpoint, type, "endpoints[\(index)]") }
        }
        let ports = object["ports"].items
        guard ports.count <= Self.maxPorts else { return tooMany("ports", ports.count, max: Self.maxPorts) }
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let name = port["name"].string ?? ""
            endpointPort(port, "ports[\(index)]", needsNumber: false)
            if !names.insert(name).inserted { duplicate("ports[\(index)].name", .string(name)) }
        }
    }

    private mutating func sliceEndpoint(_ endpoint: JSON, _ type: JSON, _ path: String) {
        let addresses = endpoint["addresses"].items
        if addresses.isEmpty {
            required("\(path).addresses", "must contain at least 1 address")
        } else if addresses.count > Self.maxAddresses {
            tooMany("\(path).addresses", addresses.count, max: Self.maxAddresses)
        }
        for (position, address) in addresses.prefix(Self.maxAddresses).enumerated() {
            let at = "\(path).addresses[\(position)]"
            switch type {
            case "FQDN": domainName(address, at)
            case "IPv4" where address.string.flatMap({ IPv4Address($0) }) == nil:
                invalid(at, address, "must be a valid IPv4 address")
            case "IPv6" where address.string.flatMap({ IPAddress($0) })?.isIPv4 ?? true:
                invalid(at, address, "must be a valid IPv6 address")
            default: endpointAddress(address, at)
            }
        }
        endpointHost(endpoint, path)
    }

    private mutating func domainName(_ value: JSON, _ path: String) {
        let text = value.string ?? ""
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        if name.isEmpty { return required(path) }
        let faults = Names.subdomain(name)
        invalid(path, value, each: faults)
        if faults.isEmpty, !name.contains(".") {
            invalid(path, value, "should be a domain with at least two segments separated by dots")
        }
    }

    private mutating func tooMany(_ path: String, _ count: Int, max: Int) {
        add(FieldError(.tooMany, path, value: JSON(count), detail: "must have at most \(max) items"))
    }
}
