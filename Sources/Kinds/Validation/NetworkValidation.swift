import APIMachinery
import KubernetesModel

extension Validation {
    mutating func network(_ object: Object, _ type: ResourceType) {
        switch type.kind {
        case "Service": service(object.spec)
        case "Endpoints": endpoints(object)
        case "EndpointSlice": endpointSlice(object)
        case "Ingress": ingress(object.spec)
        case "IngressClass":
            if object.spec["controller"].string?.isEmpty ?? true { required("spec.controller") }
        case "NetworkPolicy": networkPolicy(object.spec)
        default: break
        }
    }

    private static let addressFault = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

    private mutating func service(_ spec: JSON) {
        let type = spec["type"].string ?? "ClusterIP"
        let isHeadless = spec["clusterIP"] == "None"
        if spec["ports"].items.isEmpty, !isHeadless, type != "ExternalName" { required("spec.ports") }
        oneOf("spec.type", spec["type"], ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], required: true)
        oneOf("spec.sessionAffinity", spec["sessionAffinity"], ["ClientIP", "None"], required: true)
        servicePorts(spec, type, isHeadless: isHeadless)
        labels(spec["selector"], "spec.selector")
        if isHeadless, type == "NodePort" || type == "LoadBalancer" {
            invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for \(type) services")
        }
        if let address = spec["clusterIP"].string, !address.isEmpty, !isHeadless {
            if type == "ExternalName" {
                forbidden("spec.clusterIP", "may not be set for ExternalName services")
            } else if IPAddress(address) == nil {
                invalid("spec.clusterIPs[0]", .string(address), Self.addressFault)
            }
        }
        for (index, address) in spec["externalIPs"].items.enumerated() {
            endpointAddress(address, "spec.externalIPs[\(index)]")
        }
        if type == "ExternalName" {
            let name = spec["externalName"].string ?? ""
            let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
            if name.isEmpty {
                required("spec.externalName")
            } else {
                invalid("spec.externalName", .string(name), each: Names.subdomain(bare))
            }
        }
        if type == "NodePort" || type == "LoadBalancer" {
            oneOf("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], ["Cluster", "Local"])
        } else if !spec["externalTrafficPolicy"].isNull, spec["externalIPs"].items.isEmpty {
            invalid(
                "spec.externalTrafficPolicy", spec["externalTrafficPolicy"],
                "may only be set for externally-accessible services")
        }
        oneOf("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], ["Cluster", "Local"])
        families(spec, type)
        if let seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].int, !(1...86400).contains(seconds)
        {
            invalid(
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds", JSON(seconds),
                "must be greater than 0 and less than 86400")
        }
    }

    /// Clusters here have IPv4 only.
    private mutating func families(_ spec: JSON, _ type: String) {
        oneOf("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], ["SingleStack", "PreferDualStack", "RequireDualStack"])
        // Where others write the endpoints of a headless Service, the families are theirs.
        let isForeign = spec["clusterIP"] == "None" && spec["selector"].object?.isEmpty ?? true
        guard type != "ExternalName", !isForeign else { return }
        if spec["ipFamilyPolicy"] == "RequireDualStack" {
            invalid(
                "spec.ipFamilyPolicy", spec["ipFamilyPolicy"],
                "this cluster is not configured for dual-stack services")
        }
        for (index, family) in spec["ipFamilies"].items.enumerated() where family != "IPv4" {
            if family == "IPv6" {
                invalid("spec.ipFamilies[\(index)]", family, "not configured on this cluster")
            } else {
                oneOf("spec.ipFamilies[\(index)]", family, ["IPv4", "IPv6"])
            }
        }
    }

    /// An address to which traffic may go: one of a machine, not of this machine alone.
    private mutating func endpointAddress(_ address: JSON, _ path: String) {
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

    private mutating func servicePorts(_ spec: JSON, _ type: String, isHeadless: Bool) {
        let ports = spec["ports"].items
        var names: Set<String> = []
        var keys: Set<[JSON]> = []
        var nodePorts: Set<[JSON]> = []
        for (index, port) in ports.enumerated() {
            let at = "spec.ports[\(index)]"
            let name = port["name"].string ?? ""
            if name.isEmpty {
                if ports.count > 1 { required("\(at).name") }
            } else {
                invalid("\(at).name", .string(name), each: Names.label(name))
                if !names.insert(name).inserted { duplicate("\(at).name", .string(name)) }
            }
            invalid("\(at).port", JSON(port["port"].int ?? 0), each: Names.portNumber(port["port"].int ?? 0))
            oneOf("\(at).protocol", port["protocol"], ["SCTP", "TCP", "UDP"], required: true)
            self.port(port["targetPort"], "\(at).targetPort")
            if !keys.insert([port["protocol"], port["port"]]).inserted {
                duplicate(at, ["port": port["port"], "protocol": port["protocol"]])
            }
            guard let nodePort = port["nodePort"].int, nodePort != 0 else { continue }
            if type == "ClusterIP" { forbidden("\(at).nodePort", "may not be used when `type` is 'ClusterIP'") }
            if !nodePorts.insert([port["protocol"], port["nodePort"]]).inserted {
                duplicate("\(at).nodePort", JSON(nodePort))
            }
        }
    }

    mutating func serviceUpdate(_ object: Object, old: Object) {
        guard object.spec["type"] != "ExternalName", old.spec["type"] != "ExternalName",
            let was = old.spec["clusterIP"].string, !was.isEmpty, object.spec["clusterIP"] != old.spec["clusterIP"]
        else { return }
        invalid("spec.clusterIPs[0]", .array([object.spec["clusterIP"]]), "may not change once set")
    }

    private mutating func endpoints(_ object: Object) {
        for (index, subset) in object["subsets"].items.enumerated() {
            let at = "subsets[\(index)]"
            if subset["addresses"].items.isEmpty, subset["notReadyAddresses"].items.isEmpty {
                required(at, "must specify `addresses` or `notReadyAddresses`")
            }
            for list in ["addresses", "notReadyAddresses"] {
                for (position, address) in subset[list].items.enumerated() {
                    endpointAddress(address["ip"], "\(at).\(list)[\(position)].ip")
                }
            }
            for (position, port) in subset["ports"].items.enumerated() {
                invalid(
                    "\(at).ports[\(position)].port", JSON(port["port"].int ?? 0),
                    each: Names.portNumber(port["port"].int ?? 0))
            }
        }
    }

    private mutating func endpointSlice(_ object: Object) {
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

    private mutating func ingress(_ spec: JSON) {
        if spec["rules"].items.isEmpty, spec["defaultBackend"].isNull {
            invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")
        }
        if !spec["defaultBackend"].isNull { backend(spec["defaultBackend"], "spec.defaultBackend") }
        for (index, rule) in spec["rules"].items.enumerated() {
            let at = "spec.rules[\(index)]"
            if let host = rule["host"].string, !host.isEmpty {
                let name = host.hasPrefix("*.") ? String(host.dropFirst(2)) : host
                invalid("\(at).host", .string(host), each: Names.subdomain(name))
            }
            guard !rule["http"].isNull else { continue }
            if rule["http"]["paths"].items.isEmpty { required("\(at).http.paths") }
            for (position, path) in rule["http"]["paths"].items.enumerated() {
                ingressPath(path, "\(at).http.paths[\(position)]")
            }
        }
    }

    private mutating func ingressPath(_ path: JSON, _ at: String) {
        let text = path["path"].string ?? ""
        if path["pathType"].isNull {
            required("\(at).pathType", "pathType must be specified")
        } else {
            oneOf("\(at).pathType", path["pathType"], ["Exact", "ImplementationSpecific", "Prefix"])
        }
        let isFree = path["pathType"] == "ImplementationSpecific" && text.isEmpty
        if !isFree, !text.hasPrefix("/") { invalid("\(at).path", .string(text), "must be an absolute path") }
        backend(path["backend"], "\(at).backend")
    }

    private mutating func backend(_ backend: JSON, _ path: String) {
        let service = backend["service"]
        guard !service.isNull else {
            if backend["resource"].isNull { required(path, "cannot be empty") }
            return
        }
        let name = service["name"].string ?? ""
        if name.isEmpty {
            required("\(path).service.name")
        } else {
            invalid("\(path).service.name", .string(name), each: Names.label1035(name))
        }
        let port = service["port"]
        if port["name"].isNull, port["number"].isNull || port["number"] == 0 {
            required(path, "port name or number is required")
        } else if let number = port["number"].int, number != 0 {
            invalid("\(path).service.port.number", JSON(number), each: Names.portNumber(number))
        }
    }

    private mutating func networkPolicy(_ spec: JSON) {
        selector(spec["podSelector"], "spec.podSelector")
        for (index, type) in spec["policyTypes"].items.enumerated() {
            oneOf("spec.policyTypes[\(index)]", type, ["Egress", "Ingress"])
        }
    }
}
