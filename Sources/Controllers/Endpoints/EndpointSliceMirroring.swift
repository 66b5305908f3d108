import APIClient
import KubernetesModel

/// Keeps EndpointSlices of the Endpoints that users write for Services without a selector: what carries traffic reads
/// slices alone.
struct EndpointSliceMirroringController: Controller {
    static let manager = "endpointslicemirroring-controller.k8s.io"

    private let services: Informer
    private let endpoints: Informer
    private let slices: Informer
    private let writer: EndpointSliceWriter

    let name = "endpointslice mirroring"
    var reads: [Informer] { [services, endpoints, slices] }

    init(_ context: ControllerContext) {
        services = context.informers[.services]
        endpoints = context.informers[.endpoints]
        slices = context.informers[.endpointSlices]
        writer = EndpointSliceWriter(client: context.client, slices: slices, manager: Self.manager)
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        services.addHandler { queue.add($0.key) }
        endpoints.addHandler { queue.add($0.key) }
        writer.watch(queue)
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let service = services.get(key), LabelSelector(podsOf: service) == nil, let source = endpoints.get(key),
            Self.isMirrored(source)
        else {
            try await writer.deleteAll(of: key)
            return nil
        }
        return try await writer.write(key) { EndpointSlicePlan(mirroring: source, slices: $0) }
    }

    /// Not mirrored is what says so, and what a leader election keeps.
    private static func isMirrored(_ endpoints: Object) -> Bool {
        endpoints.labels["endpointslice.kubernetes.io/skip-mirror"] != "true"
            && endpoints.annotations["control-plane.alpha.kubernetes.io/leader"] == nil && !endpoints.isBeingDeleted
    }
}

extension EndpointSlicePlan {
    /// The slices of Endpoints that somebody else writes.
    init(mirroring endpoints: Object, slices: [Object]) {
        var labels = endpoints.labels
        labels[Self.serviceName] = endpoints.name
        labels[Self.managedBy] = EndpointSliceMirroringController.manager
        var groups: [Group: [JSON]] = [:]
        for subset in endpoints["subsets"].items {
            let ports = subset["ports"].items.map { port in
                EndpointPort(
                    name: port["name"].string ?? "", protocolName: port["protocol"].string ?? "TCP",
                    number: port["port"].int ?? 0, appProtocol: port["appProtocol"].string)
            }
            for (list, isReady) in [("addresses", true), ("notReadyAddresses", false)] {
                for address in subset[list].items {
                    let text = address["ip"].string ?? ""
                    let group = Group(addressType: text.contains(":") ? "IPv6" : "IPv4", ports: ports.sorted())
                    var endpoint: JSON = ["addresses": [.string(text)], "conditions": ["ready": JSON(isReady)]]
                    for field in ["hostname", "nodeName", "targetRef"] where !address[field].isNull {
                        endpoint[field] = address[field]
                    }
                    groups[group, default: []].append(endpoint)
                }
            }
        }
        self.init(owner: endpoints, labels: labels, groups: groups, slices: slices)
    }
}
