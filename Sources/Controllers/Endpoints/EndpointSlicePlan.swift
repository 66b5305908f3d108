import KubernetesModel

/// The EndpointSlices of one owner (a Service, or the Endpoints that are mirrored), as they should be, and the writes
/// that lead there.
///
/// Endpoints stay in the slice in which they are; new ones fill up slices with room.
struct EndpointSlicePlan {
    static let serviceName = "kubernetes.io/service-name"
    static let managedBy = "endpointslice.kubernetes.io/managed-by"
    static let manager = "endpointslice-controller.k8s.io"
    static let headless = "service.kubernetes.io/headless"
    static let capacity = 100

    private(set) var create: [Object] = []
    private(set) var update: [Object] = []
    private(set) var delete: [Object] = []

    /// Slices of one address family and one set of ports.
    struct Group: Hashable {
        let addressType: String
        let ports: [EndpointPort]
    }

    init(service: Object, pods: [Object], slices: [Object], zone: (String) -> String?) {
        self.init(
            owner: service, labels: Self.labels(of: service),
            groups: Self.endpoints(service: service, pods: pods, zone: zone), slices: slices)
    }

    /// - Parameter slices: those that `owner` has.
    init(owner: Object, labels: [String: String], groups: [Group: [JSON]], slices: [Object]) {
        var left = slices.filter { !$0.isBeingDeleted }.sorted { $0.name < $1.name }
        for (group, endpoints) in groups.sorted(by: { $0.key.addressType < $1.key.addressType }) {
            let ports = JSON.array(group.ports.map(\.json))
            let present = left.filter {
                $0["addressType"].string == group.addressType && Self.samePorts($0["ports"], ports)
            }
            left.removeAll { slice in present.contains { $0.uid == slice.uid } }
            place(endpoints, ports: ports, in: present, addressType: group.addressType, owner, labels)
        }
        delete += left
    }

    private mutating func place(
        _ endpoints: [JSON], ports: JSON, in present: [Object], addressType: String, _ owner: Object,
        _ labels: [String: String]
    ) {
        var wanted: [String: JSON] = [:]
        for endpoint in endpoints { wanted[Self.identity(endpoint)] = endpoint }
        var filled = present.map { slice in
            let kept = slice["endpoints"].items.compactMap { wanted.removeValue(forKey: Self.identity($0)) }
            return (slice: slice, endpoints: kept)
        }
        var new = endpoints.filter { wanted[Self.identity($0)] != nil }[...]
        // The fullest first, so that few slices change and few are needed.
        for index in filled.indices.sorted(by: { filled[$0].endpoints.count > filled[$1].endpoints.count }) {
            let room = max(0, Self.capacity - filled[index].endpoints.count)
            filled[index].endpoints += new.prefix(room)
            new = new.dropFirst(room)
        }
        var mayBeEmpty = endpoints.isEmpty
        for (slice, endpoints) in filled {
            if endpoints.isEmpty, !mayBeEmpty {
                delete.append(slice)
                continue
            }
            if endpoints.isEmpty { mayBeEmpty = false }
            var changed = slice
            changed["endpoints"] = endpoints.isEmpty && slice["endpoints"].isNull ? .null : .array(endpoints)
            changed["ports"] = slice["ports"].items.isEmpty && ports.items.isEmpty ? slice["ports"] : ports
            changed.metadata["labels"] = JSON(labels)
            changed.metadata["ownerReferences"] = [OwnerReference(controller: owner).json]
            if changed != slice { update.append(changed) }
        }
        if mayBeEmpty || !new.isEmpty {
            repeat {
                var slice = Object([
                    "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                    "metadata": [
                        "generateName": .string(owner.name + "-"), "namespace": .string(owner.namespace),
                        "labels": JSON(labels), "ownerReferences": [OwnerReference(controller: owner).json],
                    ],
                ])
                slice["addressType"] = .string(addressType)
                slice["endpoints"] = .array(Array(new.prefix(Self.capacity)))
                slice["ports"] = ports
                create.append(slice)
                new = new.dropFirst(Self.capacity)
            } while !new.isEmpty
        }
    }

    private static func endpoints(
        service: Object, pods: [Object], zone: (String) -> String?
    ) -> [Group: [JSON]] {
        var groups: [Group: [JSON]] = [:]
        let families = service.spec["ipFamilies"].strings
        let types = families.isEmpty ? ["IPv4"] : families
        for pod in pods.sorted(by: { $0.name < $1.name }) where pod.isEndpoint(includingTerminating: true) {
            let ports = EndpointPort.ports(of: service, on: pod).sorted()
            for type in types {
                let addresses = pod.podAddresses.filter { $0.contains(":") == (type == "IPv6") }
                guard let address = addresses.first else { continue }
                groups[Group(addressType: type, ports: ports), default: []].append(
                    endpoint(address, pod, service, zone: zone(pod.nodeName)))
            }
        }
        // A Service whose pods are yet to come has one empty slice, so that it is seen to be looked after.
        for type in types where !groups.keys.contains(where: { $0.addressType == type }) {
            groups[Group(addressType: type, ports: [])] = []
        }
        return groups
    }

    private static func endpoint(_ address: String, _ pod: Object, _ service: Object, zone: String?) -> JSON {
        let serving = pod.isReadyPod
        var endpoint: JSON = [
            "addresses": [.string(address)],
            "conditions": [
                "ready": JSON(service.publishesNotReadyAddresses || (serving && !pod.isBeingDeleted)),
                "serving": JSON(serving), "terminating": JSON(pod.isBeingDeleted),
            ],
            "targetRef": pod.podReference,
        ]
        if !pod.nodeName.isEmpty { endpoint["nodeName"] = .string(pod.nodeName) }
        if let zone { endpoint["zone"] = .string(zone) }
        if let hostname = pod.hostname(within: service) { endpoint["hostname"] = .string(hostname) }
        return endpoint
    }

    private static func labels(of service: Object) -> [String: String] {
        var labels = service.labels
        labels[headless] = service.isHeadless ? "" : nil
        labels[serviceName] = service.name
        labels[managedBy] = manager
        return labels
    }

    private static func identity(_ endpoint: JSON) -> String {
        (endpoint["targetRef"]["uid"].string ?? "") + "/" + (endpoint["addresses"][0].string ?? "")
    }

    private static func samePorts(_ left: JSON, _ right: JSON) -> Bool {
        func plain(_ ports: JSON) -> Set<[String]> {
            Set(
                ports.items.map {
                    [
                        $0["name"].string ?? "", $0["protocol"].string ?? "TCP", String($0["port"].int ?? 0),
                        $0["appProtocol"].string ?? "",
                    ]
                })
        }
        return plain(left) == plain(right)
    }
}
