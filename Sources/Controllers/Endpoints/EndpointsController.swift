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
        controller = Controller(
            name: "endpointslices", queue: queue,
            reconciler: EndpointSliceReconciler(
                client: context.client, services: services, pods: pods, slices: slices, nodes: nodes),
            reads: [services, pods, slices, nodes], workers: 5, logger: context.logger)
        services.addHandler { queue.add($0.key) }
        slices.addHandler { change in
            let slice = change.object
            guard let name = slice.labels[EndpointSlicePlan.serviceName],
                slice.labels[EndpointSlicePlan.managedBy] == EndpointSlicePlan.manager
            else { return }
            queue.add(ObjectKey(namespace: slice.namespace, name: name))
        }
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

    let client: any Client
    let services: Informer
    let pods: Informer
    let slices: Informer
    let nodes: Informer
    private let expectations = Expectations()

    init(client: any Client, services: Informer, pods: Informer, slices: Informer, nodes: Informer) {
        self.client = client
        self.services = services
        self.pods = pods
        self.slices = slices
        self.nodes = nodes
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        let present = slices.list(namespace: key.namespace).filter {
            $0.labels[EndpointSlicePlan.serviceName] == key.name
                && $0.labels[EndpointSlicePlan.managedBy] == EndpointSlicePlan.manager
        }
        guard let service = services.get(key) else {
            for slice in present { try await delete(slice) }
            return nil
        }
        guard service.hasManagedEndpoints, let selector = LabelSelector(podsOf: service) else { return nil }
        guard expectations.areMet(for: key, by: slices) else { return nil }
        let members = pods.list(namespace: key.namespace).filter { selector.matches($0.labels) }
        let plan = EndpointSlicePlan(
            service: service, pods: members, slices: present,
            zone: { nodes.get(namespace: "", $0)?.labels[Self.zone] })
        do {
            try await carryOut(plan, for: key)
        } catch let status as Status where status.isNotFound {
            return .withBackoff
        } catch let status as Status where status.isNamespaceTerminating {}
        return nil
    }

    private func carryOut(_ plan: EndpointSlicePlan, for service: ObjectKey) async throws {
        // Additions before removals: at no time are endpoints missing that stay.
        for slice in plan.create {
            expectations.created(try await client.create(.endpointSlices, slice), by: service)
        }
        for slice in plan.update { try await client.update(.endpointSlices, slice) }
        for slice in plan.delete { try await delete(slice) }
    }

    private func delete(_ slice: Object) async throws {
        do {
            try await client.delete(.endpointSlices, slice.key, options: DeleteOptions(uid: slice.uid))
        } catch let status as Status where status.isNotFound {}
    }
}
