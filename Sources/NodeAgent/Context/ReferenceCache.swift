import APIClient
import KubernetesModel

/// The ConfigMaps and Secrets that pods of this node refer to, each followed by a watch while a pod needs it.
///
/// A node may read only what its pods refer to, so there is no watch over all of them.
actor ReferenceCache {
    struct Key: Sendable, Hashable {
        let type: ResourceType
        let namespace: String
        let name: String
    }

    private struct Entry {
        let informer: Informer
        let task: Task<Void, Never>
        var users: Set<String>
    }

    private let client: any Client
    private var entries: [Key: Entry] = [:]
    private let changed: @Sendable (Set<String>) async -> Void

    /// - Parameter changed: receives the UIDs of the pods that use an object which has changed.
    init(_ client: any Client, changed: @escaping @Sendable (Set<String>) async -> Void) {
        self.client = client
        self.changed = changed
    }

    /// The object as it is now, nil if there is none; from now on `changed` reports it for `pod`.
    func get(_ type: ResourceType, namespace: String, name: String, pod: String) async -> Object? {
        let key = Key(type: type, namespace: namespace, name: name)
        let informer: Informer
        if var entry = entries[key] {
            entry.users.insert(pod)
            entries[key] = entry
            informer = entry.informer
        } else {
            informer = Informer(
                client, type, scope: InformerScope(namespace: namespace, fieldSelector: "metadata.name=\(name)"))
            let changes = informer.changes()
            let task = Task { [weak self] in
                await withDiscardingTaskGroup { group in
                    group.addTask { await informer.run() }
                    await informer.waitForSync()
                    var initial = informer.get(namespace: namespace, name)
                    for await change in changes {
                        // The first list's own change is no news.
                        if let known = initial, case .added(let object) = change, known == object {
                            initial = nil
                            continue
                        }
                        await self?.tell(key)
                    }
                }
            }
            entries[key] = Entry(informer: informer, task: task, users: [pod])
        }
        await informer.waitForSync()
        return informer.get(namespace: namespace, name)
    }

    /// Stops following objects for a pod.
    func release(pod: String) {
        for (key, var entry) in entries where entry.users.contains(pod) {
            entry.users.remove(pod)
            if entry.users.isEmpty {
                entry.task.cancel()
                entries[key] = nil
            } else {
                entries[key] = entry
            }
        }
    }

    func close() {
        for entry in entries.values { entry.task.cancel() }
        entries = [:]
    }

    private func tell(_ key: Key) async {
        if let users = entries[key]?.users { await changed(users) }
    }
}
