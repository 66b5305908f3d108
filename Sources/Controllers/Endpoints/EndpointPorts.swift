import KubernetesModel

/// A Service's ports as one pod offers them.
struct EndpointPort: Hashable, Comparable {
    let name: String
    let protocolName: String
    let number: Int
    let appProtocol: String?

    static func < (left: EndpointPort, right: EndpointPort) -> Bool {
        (left.name, left.protocolName, left.number) < (right.name, right.protocolName, right.number)
    }

    /// The ports of `service` on `pod`. A named target port that the pod does not have is left out.
    static func ports(of service: Object, on pod: Object) -> [EndpointPort] {
        service.spec["ports"].items.compactMap { port in
            let protocolName = port["protocol"].string ?? "TCP"
            guard let number = number(of: port, protocolName, on: pod) else { return nil }
            return EndpointPort(
                name: port["name"].string ?? "", protocolName: protocolName, number: number,
                appProtocol: port["appProtocol"].string)
        }
    }

    private static func number(of port: JSON, _ protocolName: String, on pod: Object) -> Int? {
        let target = port["targetPort"]
        if let number = target.int, number != 0 { return number }
        guard let name = target.string, !name.isEmpty else { return port["port"].int }
        if let number = Int(name) { return number }
        // Init containers that restart always are sidecars: they serve as long as the pod runs.
        let sidecars = pod.spec["initContainers"].items.filter { $0["restartPolicy"].string == "Always" }
        for container in pod.spec["containers"].items + sidecars {
            for candidate in container["ports"].items
            where candidate["name"].string == name && (candidate["protocol"].string ?? "TCP") == protocolName {
                return candidate["containerPort"].int
            }
        }
        return nil
    }

    var json: JSON {
        var json: JSON = ["protocol": .string(protocolName), "port": JSON(number)]
        // A slice names each port, also with the empty name.
        json["name"] = .string(name)
        if let appProtocol { json["appProtocol"] = .string(appProtocol) }
        return json
    }
}

/// What Endpoints and EndpointSlices ask about a Service and its pods.
extension Object {
    var publishesNotReadyAddresses: Bool { spec["publishNotReadyAddresses"].bool ?? false }
    var isHeadless: Bool { spec["clusterIP"].string == "None" }
    /// Whether its endpoints are made here: without a selector they are somebody else's.
    var hasManagedEndpoints: Bool { spec["type"].string != "ExternalName" && LabelSelector(podsOf: self) != nil }

    /// Whether a pod belongs among the endpoints of the Services that select it.
    func isEndpoint(includingTerminating: Bool) -> Bool {
        guard !hasEnded, !podAddresses.isEmpty else { return false }
        return includingTerminating || !isBeingDeleted
    }

    /// The host name that DNS gives the pod within a headless Service, if it asks for one.
    func hostname(within service: Object) -> String? {
        guard let hostname = spec["hostname"].string, !hostname.isEmpty,
            spec["subdomain"].string == service.name, namespace == service.namespace
        else { return nil }
        return hostname
    }

    var podReference: JSON {
        ["kind": "Pod", "namespace": .string(namespace), "name": .string(name), "uid": .string(uid)]
    }
}
