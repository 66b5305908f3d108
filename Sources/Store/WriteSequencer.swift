import KubernetesModel

/// A write that waits for its turn.
struct PendingWrite: Sendable {
    enum Content: Sendable {
        case put(Object, EncodedObject)
        case delete
    }
    typealias Outcome = Result<StoredObject, StoreError>

    let key: String
    let expectation: Expectation
    let content: Content
    let continuation: CheckedContinuation<Outcome, Never>
}

/// Gives writes their order and their revisions, and makes them durable batch by batch. Used by the writer thread only.
struct WriteSequencer {
    let database: SQLiteDatabase
    let cache: StoreCache
    /// Rows that nobody needs any more; they go with a later batch, many at a time.
    private var garbage: [Int64] = []

    private static let garbageBatch = 500

    init(database: SQLiteDatabase, cache: StoreCache, dropped: [StoreEvent]) {
        self.database = database
        self.cache = cache
        discard(dropped)
    }

    /// Carries out and answers all of `writes`.
    mutating func process(_ writes: [PendingWrite]) {
        var revision = cache.revision
        var events: [StoreEvent] = []
        // What the batch's own writes have made of a key; nil where they deleted it.
        var changed: [String: StoredObject?] = [:]
        var outcomes: [PendingWrite.Outcome] = []
        outcomes.reserveCapacity(writes.count)
        for write in writes {
            let current = changed[write.key] ?? cache.get(write.key)
            if let failure = Self.failure(write, current: current) {
                outcomes.append(.failure(failure))
                continue
            }
            revision += 1
            let event = Self.event(write, current: current, revision: revision)
            events.append(event)
            changed[write.key] = .some(event.kind == .deleted ? nil : event.object)
            outcomes.append(.success(event.object))
        }
        var publication: StoreCache.Publication?
        if !events.isEmpty {
            do {
                let isTimeToForget = garbage.count >= Self.garbageBatch
                try database.commit(events, forgetting: isTimeToForget ? garbage : [], floor: cache.floor)
                if isTimeToForget { garbage.removeAll(keepingCapacity: true) }
            } catch {
                // An expectation may have failed only because of a write that is undone now, so all are answered so.
                for write in writes { write.continuation.resume(returning: .failure(error)) }
                return
            }
            let published = cache.publish(events)
            discard(published.dropped)
            publication = published
        }
        // Whoever wrote comes first: a hundred watchers that see an event a moment later cost nobody anything.
        for (write, outcome) in zip(writes, outcomes) { write.continuation.resume(returning: outcome) }
        publication?.wakeWatchers()
    }

    private mutating func discard(_ dropped: [StoreEvent]) {
        for event in dropped {
            if let previous = event.previous { garbage.append(previous.revision) }
            if event.kind == .deleted { garbage.append(event.revision) }
        }
    }

    private static func failure(_ write: PendingWrite, current: StoredObject?) -> StoreError? {
        switch (write.expectation, write.content, current) {
        case (.absent, _, let current?): .alreadyExists(current)
        case (.revision, _, nil), (_, .delete, nil): .notFound(key: write.key)
        case (.revision(let revision), _, let current?) where current.revision != revision: .conflict(current)
        default: nil
        }
    }

    private static func event(_ write: PendingWrite, current: StoredObject?, revision: Int64) -> StoreEvent {
        switch write.content {
        case .put(var object, let encoded):
            object.metadata["resourceVersion"] = .string(String(revision))
            let stored = StoredObject(
                key: write.key, revision: revision, createRevision: current?.createRevision ?? revision,
                bytes: encoded.bytes(at: revision), object: object)
            return StoreEvent(stored, previous: current)
        case .delete:
            guard let current else { preconditionFailure("only what exists is deleted") }
            return StoreEvent(current.deleted(at: revision), previous: current, isDeletion: true)
        }
    }
}
