import Retrying
import Synchronization

/// Keys to work on: each at most once in the queue, and never worked on by two workers at a time.
///
/// A key added while it is worked on comes again after that. Adding never waits, so that informers' handlers can do it;
/// hence a lock and not an actor. Delayed adds come due only while `run` runs.
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct State: Sendable {
        var order: [Key] = []
        var head = 0
        /// In `order`, or to be put there when the present work on them is done.
        var dirty: Set<Key> = []
        var processing: Set<Key> = []
        var failures: [Key: Int] = [:]
        /// When a delayed key comes due. One that is wanted earlier too has the earlier moment.
        var due: [Key: ContinuousClock.Instant] = [:]
        var waiters: [(id: Int, continuation: CheckedContinuation<Key?, Never>)] = []
        var nextWaiter = 0
        var isShutDown = false

        mutating func append(_ key: Key) { order.append(key) }

        mutating func takeFirst() -> Key? {
            guard head < order.count else { return nil }
            let key = order[head]
            head += 1
            if head == order.count {
                order.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 1024 {
                order.removeFirst(head)
                head = 0
            }
            dirty.remove(key)
            processing.insert(key)
            return key
        }
    }

    private let state = Mutex(State())
    private let delays: AsyncStream<(Key, ContinuousClock.Instant)>
    private let delay: AsyncStream<(Key, ContinuousClock.Instant)>.Continuation
    private let backoff: Backoff

    /// - Parameter backoff: the waits before a key that failed comes again.
    public init(backoff: Backoff = Backoff(first: .milliseconds(5), max: .seconds(1000))) {
        self.backoff = backoff
        (delays, delay) = AsyncStream.makeStream()
    }

    public var count: Int { state.withLock { $0.order.count - $0.head } }

    public func add(_ key: Key) {
        let waiter = state.withLock { state -> (CheckedContinuation<Key?, Never>, Key)? in
            guard !state.isShutDown, state.dirty.insert(key).inserted, !state.processing.contains(key) else {
                return nil
            }
            state.append(key)
            return Self.match(&state)
        }
        if let (continuation, key) = waiter { continuation.resume(returning: key) }
    }

    /// Adds the key when `wait` has passed.
    public func add(_ key: Key, after wait: Duration) {
        guard wait > .zero else { return add(key) }
        let moment = ContinuousClock.now + wait
        let isNew = state.withLock { state in
            if state.isShutDown { return false }
            if let present = state.due[key], present <= moment { return false }
            state.due[key] = moment
            return true
        }
        if isNew { delay.yield((key, moment)) }
    }

    /// Adds the key after a wait that doubles each time until `forget`.
    public func addRateLimited(_ key: Key) {
        let failures = state.withLock { state in
            state.failures[key, default: 0] += 1
            return state.failures[key] ?? 1
        }
        add(key, after: backoff.delay(afterFailure: failures))
    }

    /// The key worked: its next failure is its first.
    public func forget(_ key: Key) { state.withLock { _ = $0.failures.removeValue(forKey: key) } }

    /// How often the key was added rate-limited since it was last forgotten.
    public func failures(of key: Key) -> Int { state.withLock { $0.failures[key] ?? 0 } }

    /// Waits for a key to work on; `done` must follow. Nil when the queue is shut down or the task cancelled.
    public func next() async -> Key? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Key?? in
                    if state.isShutDown || Task.isCancelled { return .some(nil) }
                    if let key = state.takeFirst() { return .some(key) }
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0).continuation }
            }
            waiter?.resume(returning: nil)
        }
    }

    /// Ends the work that `next` began. A key added meanwhile is queued now.
    public func done(_ key: Key) {
        let waiter = state.withLock { state -> (CheckedContinuation<Key?, Never>, Key)? in
            state.processing.remove(key)
            guard state.dirty.contains(key), !state.isShutDown else { return nil }
            state.append(key)
            return Self.match(&state)
        }
        if let (continuation, key) = waiter { continuation.resume(returning: key) }
    }

    /// Brings delayed keys in when they are due, until the task is cancelled; then shuts the queue down.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await (key, moment) in delays {
                group.addTask { [self] in
                    do { try await Task.sleep(until: moment, clock: .continuous) } catch { return }
                    let isDue = state.withLock { state in
                        guard state.due[key] == moment else { return false }
                        state.due[key] = nil
                        return true
                    }
                    if isDue { add(key) }
                }
            }
            group.cancelAll()
        }
        shutDown()
    }

    /// Ends all waiting and future `next` with nil.
    public func shutDown() {
        let waiters = state.withLock { state in
            state.isShutDown = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
        delay.finish()
    }

    private static func match(_ state: inout State) -> (CheckedContinuation<Key?, Never>, Key)? {
        guard !state.waiters.isEmpty, let key = state.takeFirst() else { return nil }
        return (state.waiters.removeFirst().continuation, key)
    }
}
