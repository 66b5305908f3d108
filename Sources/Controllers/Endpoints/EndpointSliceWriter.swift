import APIClient
import KubernetesModel

/// Writes the EndpointSlices that one controller looks after.
struct EndpointSliceWriter: Sendable {
    private let client: any Client
    private let slices: Informer
    /// The value of the label by which the controller knows its own.
    private let manager: String
    private let expectations = Expectations()

    init(client: any Client, slices: Informer, manager: String) {
        self.client = client
        self.slices = slices
        self.manager = manager
    }

    /// Has `queue` look at a Service again whenever a slice of the controller's changes.
    func watch(_ queue: WorkQueue<ObjectKey>) {
        let manager = manager
        slices.addHandler { change in
            let slice = change.object
            guard let name = slice.labels[EndpointSlicePlan.serviceName],
                slice.labels[EndpointSlicePlan.managedBy] == manager
            else { return }
            queue.add(ObjectKey(namespace: slice.namespace, name: name))
        }
    }

    private func present(_ service: ObjectKey) -> [Object] {
        slices.list(namespace: service.namespace).filter {
            $0.labels[EndpointSlicePlan.serviceName] == service.name
                && $0.labels[EndpointSlicePlan.managedBy] == manager
        }
    }

    func deleteAll(of service: ObjectKey) async throws {
        for slice in present(service) { try await client.deleteIfPresent(.endpointSlices, slice) }
    }

    /// Brings a Service's slices to what `plan` makes of the present ones.
    func write(_ service: ObjectKey, _ plan: ([Object]) -> EndpointSlicePlan) async throws -> Requeue? {
        guard expectations.areMet(for: service, by: slices) else { return nil }
        let plan = plan(present(service))
        do {
            // Additions before removals: at no time are endpoints missing that stay.
            for slice in plan.create {
                expectations.created(try await client.create(.endpointSlices, slice), by: service)
            }
            for slice in plan.update { try await client.update(.endpointSlices, slice) }
            for slice in plan.delete { try await client.deleteIfPresent(.endpointSlices, slice) }
        } catch let status as Status where status.isNotFound {
            return .withBackoff
        } catch let status as Status where status.isNamespaceTerminating {}
        return nil
    }
}
