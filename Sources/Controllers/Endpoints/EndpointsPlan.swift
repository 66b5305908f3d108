import KubernetesModel

/// The Endpoints object of a Service: the older form of EndpointSlices, which `kubectl get endpoints` and
/// `kubectl describe service` still read.
enum EndpointsPlan {
    /// More addresses than this do not fit in; the object then says so in an annotation.
    static let capacity = 1000
    static let overCapacity = "endpoints.kubernetes.io/over-capacity"

    /// The object as it should be, from the present one where there is one.
    static func endpoints(service: Object, pods: [Object], present: Object?) -> Object {
        var endpoints = present ?? Object(.endpoints, namespace: service.namespace, name: service.name)
        var labels = service.labels
        labels[EndpointSlicePlan.headless] = service.isHeadless ? "" : nil
        labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller"
        endpoints.metadata["labels"] = labels.isEmpty ? .null : JSON(labels)
        let (subsets, isCut) = subsets(service: service, pods: pods)
        endpoints["subsets"] = subsets.isEmpty ? .null : .array(subsets)
        var annotations = endpoints.annotations
        annotations[overCapacity] = isCut ? "truncated" : nil
        endpoints.setAnnotations(annotations)
        return endpoints
    }

    private static func subsets(service: Object, pods: [Object]) -> (subsets: [JSON], isCut: Bool) {
        struct Addresses {
            var ready: [JSON] = []
            var notReady: [JSON] = []
        }
        let isIPv6 = service.spec["ipFamilies"][0].string == "IPv6"
        var subsets: [[EndpointPort]: Addresses] = [:]
        var count = 0
        let candidates = pods.filter { $0.isEndpoint(includingTerminating: service.publishesNotReadyAddresses) }
        for pod in candidates.sorted(by: { $0.name < $1.name }) {
            let ports = EndpointPort.ports(of: service, on: pod).sorted()
            // Without a port only a headless Service has anything to offer: addresses for DNS.
            guard !ports.isEmpty || service.isHeadless, count < capacity else { continue }
            guard let address = pod.podAddresses.first(where: { $0.contains(":") == isIPv6 }) else { continue }
            count += 1
            var entry: JSON = ["ip": .string(address), "targetRef": pod.podReference]
            if !pod.nodeName.isEmpty { entry["nodeName"] = .string(pod.nodeName) }
            if let hostname = pod.hostname(within: service) { entry["hostname"] = .string(hostname) }
            if service.publishesNotReadyAddresses || pod.isReadyPod {
                subsets[ports, default: Addresses()].ready.append(entry)
            } else {
                subsets[ports, default: Addresses()].notReady.append(entry)
            }
        }
        let all = subsets.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ports, addresses in
            var subset: JSON = [:]
            if !addresses.ready.isEmpty { subset["addresses"] = sorted(addresses.ready) }
            if !addresses.notReady.isEmpty { subset["notReadyAddresses"] = sorted(addresses.notReady) }
            if !ports.isEmpty { subset["ports"] = .array(ports.map(json)) }
            return subset
        }
        return (all, candidates.count > capacity)
    }

    /// In the order of the addresses' text, so that the object does not change where its pods do not.
    private static func sorted(_ addresses: [JSON]) -> JSON {
        .array(addresses.sorted { ($0["ip"].string ?? "") < ($1["ip"].string ?? "") })
    }

    private static func json(_ port: EndpointPort) -> JSON {
        var json = port.json
        // Here an unnamed port has no name at all.
        if port.name.isEmpty { json["name"] = .null }
        return json
    }
}
