import APIClient
import KubernetesModel

/// Deletes all that is in a namespace that is being deleted, then finalizes the namespace.
struct NamespaceDeletionController: Controller {
    private let client: any Client
    private let namespaces: Informer
    private let types: [ResourceType]
    private let contents: [Informer]

    let name = "namespace deletion"
    var reads: [Informer] { [namespaces] }

    init(_ context: ControllerContext) {
        client = context.client
        namespaces = context.informers[.namespaces]
        types = context.options.types.filter(\.namespaced)
        contents = types.filter { $0 != .events }.map { context.informers[$0] }
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        namespaces.addHandler { change in
            if change.object.isBeingDeleted { queue.add(change.key) }
        }
        // A namespace is gone when the last object in it is: pods take their time.
        for informer in contents {
            informer.addHandler { [namespaces] change in
                guard case .deleted(let object) = change,
                    namespaces.get(namespace: "", object.namespace)?.isBeingDeleted == true
                else { return }
                queue.add(ObjectKey(name: object.namespace))
            }
        }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let namespace = namespaces.get(key), namespace.isBeingDeleted,
            namespace.spec["finalizers"].strings.contains("kubernetes")
        else { return nil }
        let remaining = try await empty(namespace.name)
        guard remaining.isEmpty else {
            var status = namespace.status
            status["phase"] = "Terminating"
            NamespaceConditions.set(in: &status, remaining: remaining, now: .now)
            try await client.writeStatus(.namespaces, namespace, status)
            // Each deletion brings the key back; this is for what an informer does not see.
            return .after(.seconds(5))
        }
        var finalized = try await client.get(.namespaces, key)
        guard finalized.uid == namespace.uid else { return nil }
        let finalizers = finalized.spec["finalizers"].strings.filter { $0 != "kubernetes" }
        finalized.spec["finalizers"] = JSON(finalizers)
        _ = try await ignoringNotFound {
            try await client.update(.namespaces, finalized, subresource: "finalize")
        }
        return nil
    }

    /// Deletes all objects and returns those that remain, by type.
    private func empty(_ namespace: String) async throws -> [ResourceType: [Object]] {
        try await withThrowingTaskGroup(of: (ResourceType, [Object]).self) { group in
            for type in types {
                group.addTask {
                    do {
                        return (type, try await empty(type, in: namespace))
                    } catch let status as Status where status.isNotFound || status.code == 405 {
                        // Not served any more, such as a custom type whose definition went first.
                        return (type, [])
                    }
                }
            }
            var remaining: [ResourceType: [Object]] = [:]
            for try await (type, objects) in group where !objects.isEmpty { remaining[type] = objects }
            return remaining
        }
    }

    private func empty(_ type: ResourceType, in namespace: String) async throws -> [Object] {
        let objects = try await client.list(type, namespace: namespace).items
        guard !objects.isEmpty else { return [] }
        try await concurrently(objects.filter { !$0.isBeingDeleted }) { object in
            try await client.deleteIfPresent(type, object, propagation: .background)
        }
        return try await client.list(type, namespace: namespace).items
    }
}
