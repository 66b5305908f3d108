import APIClient
import KubernetesModel

/// Keeps the EndpointSlices of Services with a selector.
struct EndpointSliceController: Controller {
    private static let zone = "topology.kubernetes.io/zone"

    private let services: Informer
    private let pods: Informer
    private let nodes: Informer
    private let slices: Informer
    private let writer: EndpointSliceWriter

    let name = "endpointslices"
    let workers = 5
    var reads: [Informer] { [services, pods, slices, nodes] }

    init(_ context: ControllerContext) {
        services = context.informers[.services]
        pods = context.informers[.pods]
        nodes = context.informers[.nodes]
        slices = context.informers[.endpointSlices]
        writer = EndpointSliceWriter(client: context.client, slices: slices, manager: EndpointSlicePlan.manager)
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        services.addHandler { queue.add($0.key) }
        writer.watch(queue)
        pods.addHandler { [services] in ServiceMembership.enqueue($0, services: services, queue) }
        nodes.addHandler { [services] change in
            // Only the zone of a node shows in slices.
            if case .updated(let old, let new) = change, old.labels[Self.zone] == new.labels[Self.zone] { return }
            for service in services.list() where service.hasManagedEndpoints { queue.add(service.key) }
        }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let service = services.get(key) else {
            try await writer.deleteAll(of: key)
            return nil
        }
        guard service.hasManagedEndpoints, let selector = LabelSelector(podsOf: service) else { return nil }
        return try await writer.write(key) { slices in
            let members = pods.list(namespace: key.namespace).filter { selector.matches($0.labels) }
            return EndpointSlicePlan(
                service: service, pods: members, slices: slices,
                zone: { nodes.get(namespace: "", $0)?.labels[Self.zone] })
        }
    }
}
