import APIClient
import KubernetesModel

/// Keeps the Endpoints objects of Services with a selector.
struct EndpointsController: ControlLoop {
    private let controller: Controller

    init(_ context: ControlLoopContext) {
        let services = context.informers[.services]
        let pods = context.informers[.pods]
        let endpoints = context.informers[.endpoints]
        let queue = WorkQueue<ObjectKey>()
        controller = Controller(
            name: "endpoints", queue: queue,
            reconciler: EndpointsReconciler(
                client: context.client, services: services, pods: pods, endpoints: endpoints),
            reads: [services, pods, endpoints], workers: 5, logger: context.logger)
        services.addHandler { queue.add($0.key) }
        endpoints.addHandler { queue.add($0.key) }
        pods.addHandler { ServiceMembership.enqueue($0, services: services, queue) }
    }

    func run() async { await run([controller]) }
}

struct EndpointsReconciler: Reconciler {
    let client: any Client
    let services: Informer
    let pods: Informer
    let endpoints: Informer

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        let present = endpoints.get(key)
        guard let service = services.get(key) else {
            // Endpoints without a Service may be a leader election's or a user's own: only those that a Service of this
            // name left behind go, and its deletion is what brought the key here.
            guard let present, present.annotations[Self.mark] != nil else { return nil }
            do {
                try await client.delete(.endpoints, key, options: DeleteOptions(uid: present.uid))
            } catch let status as Status where status.isNotFound {}
            return nil
        }
        guard service.hasManagedEndpoints, let selector = LabelSelector(podsOf: service) else { return nil }
        let members = pods.list(namespace: key.namespace).filter { selector.matches($0.labels) }
        var wanted = EndpointsPlan.endpoints(service: service, pods: members, present: present)
        guard wanted != present else { return nil }
        wanted.setAnnotation(Self.mark, Timestamp.now.description)
        do {
            if present == nil {
                try await client.create(.endpoints, wanted)
            } else {
                try await client.update(.endpoints, wanted)
            }
        } catch let status as Status where status.isAlreadyExists || status.isNotFound {
            // The informer is behind.
            return .withBackoff
        } catch let status as Status where status.isNamespaceTerminating {}
        return nil
    }

    /// When a change last led to a write; it also tells which objects are made here.
    private static let mark = "endpoints.kubernetes.io/last-change-trigger-time"
}

/// Keeps the EndpointSlices of Services with a selector.
struct EndpointSliceController: ControlLoop {
    private let controller: Controller

    init(_ context: ControlLoopContext) {
        let services = context.informers[.services]
        let pods = context.informers[.pods]
        let slices = context.informers[.endpointSlices]
        let nodes = context.informers[.nodes]
        let queue = WorkQueue<ObjectKey>()
        let writer = EndpointSliceWriter(
            client: context.client, slices: slices, manager: EndpointSlicePlan.manager)
        controller = Controller(
            name: "endpointslices", queue: queue,
            reconciler: EndpointSliceReconciler(services: services, pods: pods, nodes: nodes, writer: writer),
            reads: [services, pods, slices, nodes], workers: 5, logger: context.logger)
        services.addHandler { queue.add($0.key) }
        writer.watch(queue)
        pods.addHandler { ServiceMembership.enqueue($0, services: services, queue) }
        nodes.addHandler { change in
            // Only the zone of a node shows in slices.
            if case .updated(let old, let new) = change,
                old.labels[EndpointSliceReconciler.zone] == new.labels[EndpointSliceReconciler.zone]
            {
                return
            }
            for service in services.list() where service.hasManagedEndpoints { queue.add(service.key) }
        }
    }

    func run() async { await run([controller]) }
}

struct EndpointSliceReconciler: Reconciler {
    static let zone = "topology.kubernetes.io/zone"

    let services: Informer
    let pods: Informer
    let nodes: Informer
    let writer: EndpointSliceWriter

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
