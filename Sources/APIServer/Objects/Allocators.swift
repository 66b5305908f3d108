import KubernetesModel

/// Allocates what a kind's objects hold besides their place in the store, such as a Service's addresses.
protocol Allocator: Sendable {
    /// Allocates what the object needs and has not, after its kind's strategy has prepared it.
    func allocate(for object: inout Object, old: Object?) async throws(Status)
    /// Called when it is certain what has become of an object for which was allocated: from now on the allocation
    /// belongs to `kept`, which is nil where the object does not exist.
    func settle(_ key: ObjectKey, as kept: Object?) async
}

/// The kinds whose objects hold something besides their place in the store.
struct Allocators: Sendable {
    private let byType: [ResourceType: any Allocator]

    init(services: ServiceAllocation) {
        byType = [.services: ServiceAllocator(allocation: services)]
    }

    subscript(type: ResourceType) -> (any Allocator)? { byType[type] }
}
