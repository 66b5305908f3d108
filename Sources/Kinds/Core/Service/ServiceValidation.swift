import APIMachinery
import Addresses
import KubernetesModel

extension Validation {
    mutating func service(_ spec: JSON) {
        let type = spec["type"].string ?? "ClusterIP"
        let isHeadless = spec["clusterIP"] == "None"
        if spec["ports"].items.isEmpty, !isHeadless, type != "ExternalName" { required("spec.ports") }
        oneOf("spec.type", spec["type"], ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], required: true)
        oneOf("spec.sessionAffinity", spec["sessionAffinity"], ["ClientIP", "None"], required: true)
        servicePorts(spec, type, isHeadless: isHeadless)
        labels(spec["selector"], "spec.selector")
        clusterIP(spec, type, isHeadless: isHeadless)
        for (index, address) in spec["externalIPs"].items.enumerated() {
            externalAddress(address, "spec.externalIPs[\(index)]")
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

    /// An address outside the cluster that is led to the Service. All nodes translate it, so that one of the cluster's
    /// own would take the traffic of whoever has it: names, the API, other Services, pods.
    private mutating func externalAddress(_ address: JSON, _ path: String) {
        endpointAddress(address, path)
        guard let parsed = address.string.flatMap({ IPAddress($0)?.ipv4 }) else { return }
        for (use, network) in AddressPlan.ownNetworks where network.contains(parsed) {
            invalid(path, address, "may not be in the range of the cluster's own \(use) (\(network))")
        }
    }

    private mutating func clusterIP(_ spec: JSON, _ type: String, isHeadless: Bool) {
        if isHeadless, type == "NodePort" || type == "LoadBalancer" {
            invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for \(type) services")
        }
        guard let address = spec["clusterIP"].string, !address.isEmpty, !isHeadless else { return }
        if type == "ExternalName" {
            forbidden("spec.clusterIP", "may not be set for ExternalName services")
        } else if IPAddress(address) == nil {
            invalid("spec.clusterIPs[0]", .string(address), Self.addressFault)
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
}
