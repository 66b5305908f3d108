import Synchronization

/// The events of a prefix after a revision, for one consumer.
///
/// A watch holds no events, only its place among the store's recent ones: a slow consumer costs nothing and holds up
/// nobody. One that falls behind the window gets `StoreError.compacted`. It ends when the store closes or the task is
/// cancelled.
public final class StoreWatch: AsyncSequence, Sendable {
    public typealias Element = StoreEvents
    public typealias Failure = StoreError

    public let prefix: String
    private let cache: StoreCache
    private let position: Mutex<Int64>

    /// So that a watcher that has much to catch up with does not hold the cache's lock for long.
    private static let batch = 500

    init(_ cache: StoreCache, prefix: String, after revision: Int64) {
        self.cache = cache
        self.prefix = prefix
        position = Mutex(revision)
    }

    /// Has the consumer, if it waits for events, get an element without any: it has seen all up to its revision.
    ///
    /// One that does not wait learns as much from the element that it is about to get.
    public func requestProgress() { cache.release(self) }

    func next() async throws(StoreError) -> StoreEvents? {
        var seen = position.withLock { $0 }
        while true {
            guard let found = try cache.events(after: seen, prefix: prefix, limit: Self.batch) else { return nil }
            seen = found.revision
            if !found.events.isEmpty {
                position.withLock { $0 = seen }
                return found
            }
            switch await cache.wait(self, after: seen) {
            case .ended: return nil
            case .events(let after):
                // Nothing between what was seen and this was of this watch's prefix.
                seen = Swift.max(seen, after)
                position.withLock { $0 = seen }
                guard let found = try cache.events(after: seen, prefix: prefix, limit: Self.batch) else { return nil }
                seen = found.revision
                position.withLock { $0 = seen }
                return found
            }
        }
    }

    public struct Iterator: AsyncIteratorProtocol {
        let watch: StoreWatch

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(StoreError) -> StoreEvents? {
            try await watch.next()
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(watch: self) }
}
