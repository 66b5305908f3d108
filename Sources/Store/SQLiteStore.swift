import KubernetesModel

/// The store in one SQLite file, for one control plane.
///
/// One thread writes. It takes all writes that have come while it was busy, orders them, checks their expectations in
/// memory, commits them in one durable transaction, and only then shows and answers them.
public final class SQLiteStore: Store {
    private let cache: StoreCache
    private let writes: WriteQueue
    private let writer: WriterThread

    /// Opens the database at `path`, or makes it; its directory must exist. Blocks while it reads the file.
    ///
    /// - Throws: `StoreError.unavailable`, naming the file, what is wrong, and what to do.
    public convenience init(path: String) throws(StoreError) {
        try self.init(path: path, limits: EventWindow.Limits())
    }

    init(path: String, limits: EventWindow.Limits) throws(StoreError) {
        let database = try SQLiteDatabase(path: path)
        let contents = try database.load()
        cache = StoreCache(objects: contents.objects, floor: contents.floor, limits: limits)
        writes = WriteQueue()
        let dropped = cache.publish(contents.events).dropped
        let sequencer = WriteSequencer(database: database, cache: cache, dropped: dropped)
        writer = WriterThread(queue: writes, sequencer: sequencer)
    }

    deinit {
        writes.close()
        cache.close()
    }

    public var revision: Int64 { cache.revision }

    public func get(_ key: String) -> StoredObject? { cache.get(key) }

    public func list(
        prefix: String, limit: Int?, after key: String?, at revision: Int64?
    ) throws(StoreError) -> StoreList {
        try cache.list(prefix: prefix, limit: limit, after: key, at: revision)
    }

    public func watch(prefix: String, after revision: Int64) throws(StoreError) -> StoreWatch {
        try cache.watch(prefix: prefix, after: revision)
    }

    @discardableResult
    public func write(
        _ key: String, expecting expectation: Expectation, _ change: StoreChange
    ) async throws(StoreError) -> StoredObject {
        let content: PendingWrite.Content
        switch change {
        case .delete: content = .delete
        case .put(var object):
            let encoded = EncodedObject(object)
            // From here on the writer alone has the object's metadata, so that it can set the revision in place.
            object.metadata["resourceVersion"] = ""
            content = .put(object, encoded)
        }
        let result = await withCheckedContinuation { continuation in
            writes.add(PendingWrite(key: key, expectation: expectation, content: content, continuation: continuation))
        }
        return try result.get()
    }

    public func close() async {
        writes.close()
        await writer.ended()
        cache.close()
    }
}
