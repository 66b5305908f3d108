import APIMachinery
import Addresses
import KubernetesModel

extension Kind {
    static let endpoints = Kind(
        Group.core.row("endpoints", "Endpoints", short: ["ep"]),
        defaults: { endpoints in
            endpoints.json.changeEach("subsets") { $0.changeEach("ports") { $0.fill("protocol", "TCP") } }
        },
        validate: { $0.endpoints($1) },
        columns: Table.Columns([.name, "Endpoints", .age]) { object, now in
            var addresses: [String] = []
            for subset in object["subsets"].items {
                let ports = subset["ports"].items.compactMap { $0["port"].int }
                for address in subset["addresses"].items.compactMap({ $0["ip"].string }) {
                    addresses += ports.isEmpty ? [address] : ports.map { "\(address):\($0)" }
                }
            }
            return [.string(object.name), Table.firstThree(addresses, none: "<none>"), object.age(now)]
        },
        deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
}

extension Validation {
    fileprivate mutating func endpoints(_ object: Object) {
        for (index, subset) in object["subsets"].items.enumerated() {
            let at = "subsets[\(index)]"
            if subset["addresses"].items.isEmpty, subset["notReadyAddresses"].items.isEmpty {
                required(at, "must specify `addresses` or `notReadyAddresses`")
            }
            for list in ["addresses", "notReadyAddresses"] {
                for (position, address) in subset[list].items.enumerated() {
                    endpointAddress(address["ip"], "\(at).\(list)[\(position)].ip")
                    endpointHost(address, "\(at).\(list)[\(position)]")
                }
            }
            let ports = subset["ports"].items
            for (position, port) in ports.enumerated() {
                let place = "\(at).ports[\(position)]"
                if ports.count > 1, port["name"].string?.isEmpty ?? true { required("\(place).name") }
                endpointPort(port, place, needsNumber: true)
            }
        }
    }

    /// A port of Endpoints or of an EndpointSlice.
    mutating func endpointPort(_ port: JSON, _ path: String, needsNumber: Bool) {
        if let name = port["name"].string, !name.isEmpty {
            invalid("\(path).name", .string(name), each: Names.label(name))
        }
        if needsNumber || !port["port"].isNull {
            let number = port["port"].int ?? 0
            invalid("\(path).port", JSON(number), each: Names.portNumber(number))
        }
        oneOf("\(path).protocol", port["protocol"], ["SCTP", "TCP", "UDP"], required: true)
        if let application = port["appProtocol"].string {
            invalid("\(path).appProtocol", .string(application), each: Names.qualifiedName(application))
        }
    }

    /// The node and the name of an endpoint's host.
    mutating func endpointHost(_ endpoint: JSON, _ path: String) {
        if let name = endpoint["hostname"].string, !name.isEmpty {
            invalid("\(path).hostname", .string(name), each: Names.label(name))
        }
        if let node = endpoint["nodeName"].string {
            invalid("\(path).nodeName", .string(node), each: Names.subdomain(node))
        }
    }

    static let addressFault = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

    /// An address to which traffic may go: one of a machine, not of this machine alone.
    mutating func endpointAddress(_ address: JSON, _ path: String) {
        let text = address.string ?? ""
        guard let parsed = IPAddress(text) else { return invalid(path, address, Self.addressFault) }
        if parsed.isUnspecified {
            invalid(path, address, "may not be unspecified (\(text))")
        } else if parsed.isLoopback {
            invalid(path, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
        } else if parsed.isLinkLocal {
            invalid(path, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
        } else if parsed.isLinkLocalMulticast {
            invalid(path, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
        }
    }
}
