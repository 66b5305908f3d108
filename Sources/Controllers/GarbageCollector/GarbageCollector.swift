import APIClient
import KubernetesModel
import Synchronization

/// Deletes objects that have lost their owners, and deletes owners by their propagation policy.
///
/// Keys of its queue are UIDs.
final class GarbageCollector: Controller {
    private let graph = Mutex(OwnershipGraph())
    private let client: any Client
    private let types: [ResourceType]

    let name = "garbage"
    let workers = 20
    let reads: [Informer]

    init(_ context: ControllerContext) {
        client = context.client
        // Events have no owners, and are many.
        types = context.options.types.filter { $0.plural != "events" }
        reads = types.map { context.informers[$0] }
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        for informer in reads {
            let type = informer.type
            informer.addHandler { [self] change in
                let affected =
                    if case .deleted(let object) = change {
                        graph.withLock { $0.remove(object.uid) }
                    } else {
                        graph.withLock { $0.put(OwnershipGraph.Entry(type, change.object)) }
                    }
                for uid in affected { queue.add(ObjectKey(name: uid)) }
            }
        }
    }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        let uid = key.name
        var existing: Set<String> = []
        while true {
            let (entry, step) = graph.withLock { ($0.entries[uid], $0.step(for: uid, existing: existing)) }
            guard let entry else { return nil }
            if case .ask(let owners) = step {
                for owner in owners {
                    if try await exists(owner, for: entry) {
                        existing.insert(owner.uid)
                    } else {
                        graph.withLock { $0.noteGone(owner.uid) }
                    }
                }
                continue
            }
            try await take(step, entry)
            return nil
        }
    }

    private func take(_ step: OwnershipGraph.Step, _ entry: OwnershipGraph.Entry) async throws {
        switch step {
        case .leave, .ask: return
        case .disown(let owners): try await disown(entry, from: Set(owners))
        case .delete(let policy):
            let propagation: DeleteOptions.Propagation =
                switch policy {
                case .background: .background
                case .foreground: .foreground
                case .orphan: .orphan
                }
            try await client.deleteIfPresent(entry.type, entry.key, uid: entry.uid, propagation: propagation)
        case .releaseDependents(let dependents):
            try await concurrently(dependents) { try await self.disown($0, from: [entry.uid]) }
            try await removeFinalizer(OwnershipGraph.orphan, of: entry)
        case .finishForeground: try await removeFinalizer(OwnershipGraph.foreground, of: entry)
        }
    }

    /// Whether an owner exists. One of a type that is not served counts as existing.
    private func exists(_ owner: OwnerReference, for entry: OwnershipGraph.Entry) async throws -> Bool {
        let group = owner.apiVersion.split(separator: "/").count == 2 ? owner.apiVersion.split(separator: "/")[0] : ""
        guard let type = types.first(where: { $0.group == group && $0.kind == owner.kind }) else { return true }
        let key = ObjectKey(namespace: entry.key.namespace, name: owner.name)
        return try await client.getIfPresent(type, key)?.uid == owner.uid
    }

    private func disown(_ entry: OwnershipGraph.Entry, from owners: Set<String>) async throws {
        try await change(entry) { object in
            let kept = object.ownerReferences.filter { !owners.contains($0.uid) }
            guard kept.count != object.ownerReferences.count else { return nil }
            return ["ownerReferences": kept.isEmpty ? .null : .array(kept.map(\.json))]
        }
    }

    private func removeFinalizer(_ name: String, of entry: OwnershipGraph.Entry) async throws {
        try await change(entry) { object in
            let kept = object.finalizers.filter { $0 != name }
            guard kept.count != object.finalizers.count else { return nil }
            return ["finalizers": kept.isEmpty ? .null : JSON(kept)]
        }
    }

    /// Patches an object's metadata by what `body` makes of its present state; nil for no change.
    private func change(_ entry: OwnershipGraph.Entry, _ body: (Object) -> JSON?) async throws {
        guard let object = try await client.getIfPresent(entry.type, entry.key), object.uid == entry.uid,
            var metadata = body(object)
        else { return }
        metadata["uid"] = .string(object.uid)
        metadata["resourceVersion"] = .string(object.resourceVersion)
        _ = try await ignoringNotFound {
            try await client.patch(
                entry.type, namespace: entry.type.namespaced ? entry.key.namespace : nil, name: entry.key.name,
                subresource: nil, .merge(["metadata": metadata]))
        }
    }
}
