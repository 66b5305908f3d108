import KubernetesModel
import Store
import Synchronization

/// Changes an object just before a write to it, so that the writer's revision is an old one.
final class RacingStore: Store {
    private let store: any Store
    private let changes: Mutex<Int>

    /// - Parameter changes: before how many writes.
    init(store: any Store, changes: Int) {
        self.store = store
        self.changes = Mutex(changes)
    }

    var revision: Int64 { store.revision }
    func get(_ key: String) -> StoredObject? { store.get(key) }
    func list(
        prefix: String, limit: Int?, after key: String?, at revision: Int64?
    ) throws(StoreError) -> StoreList {
        try store.list(prefix: prefix, limit: limit, after: key, at: revision)
    }
    func watch(prefix: String, after revision: Int64) throws(StoreError) -> StoreWatch {
        try store.watch(prefix: prefix, after: revision)
    }
    func write(
        _ key: String, expecting expectation: Expectation, _ change: StoreChange
    ) async throws(StoreError) -> StoredObject {
        let remaining = changes.withLock { changes in
            changes -= 1
            return changes
        }
        if remaining >= 0, var object = store.get(key)?.object {
            object.metadata["annotations"]["changes-to-come"] = .string(String(remaining))
            try await store.write(key, expecting: .any, .put(object))
        }
        return try await store.write(key, expecting: expectation, change)
    }
    func close() async { await store.close() }
}
