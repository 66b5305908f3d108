import NIOCore
import Store
import Synchronization

/// Notes for each list whether it was made on an event loop.
final class SpyStore: Store {
    let store: any Store
    let loop: any EventLoop
    let lists = Mutex<[Bool]>([])

    init(store: any Store, loop: any EventLoop) {
        self.store = store
        self.loop = loop
    }

    var revision: Int64 { store.revision }
    func get(_ key: String) -> StoredObject? { store.get(key) }
    func list(
        prefix: String, limit: Int?, after key: String?, at revision: Int64?
    ) throws(StoreError) -> StoreList {
        lists.withLock { $0.append(loop.inEventLoop) }
        return try store.list(prefix: prefix, limit: limit, after: key, at: revision)
    }
    func watch(prefix: String, after revision: Int64) throws(StoreError) -> StoreWatch {
        try store.watch(prefix: prefix, after: revision)
    }
    func write(
        _ key: String, expecting expectation: Expectation, _ change: StoreChange
    ) async throws(StoreError) -> StoredObject {
        try await store.write(key, expecting: expectation, change)
    }
    func close() async { await store.close() }
}
