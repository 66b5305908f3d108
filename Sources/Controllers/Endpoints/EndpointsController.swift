import APIClient
import KubernetesModel
import Synchronization

/// Keeps the Endpoints objects of Services with a selector.
struct EndpointsController: ControlLoop {
    private let controller: Controller

    init(_ context: ControlLoopContext) {
        let services = context.informers[.services]
        let pods = context.informers[.pods]
        let endpoints = context.informers[.endpoints]
        let queue = WorkQueue<ObjectKey>()
        let reconciler = EndpointsReconciler(
            client: context.client, services: services, pods: pods, endpoints: endpoints)
        controller = Controller(
            name: "endpoints", queue: queue, reconciler: reconciler,
            reads: [services, pods, endpoints], workers: 5, logger: context.logger)
        services.addHandler { change in
            if case .deleted = change { reconciler.orphans.add(change.key) }
            queue.add(change.key)
        }
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
    /// The keys of Services that were deleted, whose Endpoints are to follow, whoever has written them.
    let orphans = Orphans()

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        let present = endpoints.get(key)
        guard let service = services.get(key) else {
            // Endpoints that never had a Service are a leader election's or a user's own, and stay.
            if let present, present.annotations[Self.mark] != nil || orphans.contains(key) {
                do {
                    try await client.delete(.endpoints, key, options: DeleteOptions(uid: present.uid))
                } catch let status as Status where status.isNotFound {}
            }
            orphans.remove(key)
            return nil
        }
        orphans.remove(key)
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

/// Keys that handlers of events add, and reconciliations look up.
final class Orphans: Sendable {
    private let keys = Mutex<Set<ObjectKey>>([])

    func add(_ key: ObjectKey) { _ = keys.withLock { $0.insert(key) } }
    func remove(_ key: ObjectKey) { _ = keys.withLock { $0.remove(key) } }
    func contains(_ key: ObjectKey) -> Bool { keys.withLock { $0.contains(key) } }
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
