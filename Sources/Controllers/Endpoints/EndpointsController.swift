import APIClient
import KubernetesModel
import Synchronization

/// Keeps the Endpoints objects of Services with a selector.
struct EndpointsController: Controller {
    private let client: any Client
    private let services: Informer
    private let pods: Informer
    private let endpoints: Informer
    /// The keys of Services that were deleted, whose Endpoints are to follow, whoever has written them.
    private let orphans = Orphans()

    let name = "endpoints"
    let workers = 5
    var reads: [Informer] { [services, pods, endpoints] }

    init(_ context: ControllerContext) {
        client = context.client
        services = context.informers[.services]
        pods = context.informers[.pods]
        endpoints = context.informers[.endpoints]
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        services.addHandler { [orphans] change in
            if case .deleted = change { orphans.add(change.key) }
            queue.add(change.key)
        }
        endpoints.addHandler { queue.add($0.key) }
        pods.addHandler { [services] in ServiceMembership.enqueue($0, services: services, queue) }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        let present = endpoints.get(key)
        guard let service = services.get(key) else {
            // Endpoints that never had a Service are a leader election's or a user's own, and stay.
            if let present, present.annotations[Self.mark] != nil || orphans.contains(key) {
                try await client.deleteIfPresent(.endpoints, present)
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

    /// When a change last led to a write; it also marks the objects that this controller makes.
    private static let mark = "endpoints.kubernetes.io/last-change-trigger-time"
}

/// Keys that handlers of events add, and reconciliations look up.
final class Orphans: Sendable {
    private let keys = Mutex<Set<ObjectKey>>([])

    func add(_ key: ObjectKey) { _ = keys.withLock { $0.insert(key) } }
    func remove(_ key: ObjectKey) { _ = keys.withLock { $0.remove(key) } }
    func contains(_ key: ObjectKey) -> Bool { keys.withLock { $0.contains(key) } }
}
