import Synchronization

/// What a driver keeps in memory: the latest state, the recent events, and who waits for more.
///
/// Only durable writes get here. A lock and not an actor: a read is some hundred nanoseconds, and every request makes
/// several. Nothing is called while it is held.
final class StoreCache: Sendable {
    typealias Waiter = CheckedContinuation<Wake, Never>

    /// Why a waiting watch goes on.
    enum Wake: Sendable {
        /// There are events to see after this revision, and none of its own before.
        case events(after: Int64)
        case ended
    }

    private struct State: Sendable {
        var index = ObjectIndex()
        var window: EventWindow
        /// Grouped by resource, the empty one for prefixes that span resources.
        var waiting: [Substring: [ObjectIdentifier: (prefix: String, waiter: Waiter)]] = [:]
        var isClosed = false
    }

    private let state: Mutex<State>

    init(objects: [StoredObject], floor: Int64, limits: EventWindow.Limits) {
        var state = State(window: EventWindow(floor: floor, limits: limits))
        for object in objects { state.index.put(object) }
        self.state = Mutex(state)
    }

    var revision: Int64 { state.withLock { $0.window.current } }
    var floor: Int64 { state.withLock { $0.window.floor } }

    func get(_ key: String) -> StoredObject? { state.withLock { $0.index[key] } }

    func list(prefix: String, limit: Int?, after key: String?, at revision: Int64?) throws(StoreError) -> StoreList {
        try state.withLock { state throws(StoreError) in
            let current = state.window.current
            let revision = revision ?? current
            try Self.check(revision, state)
            var found = state.index.list(prefix: prefix, after: key)
            if revision < current {
                let versions = state.window.versions(at: revision, prefix: prefix)
                if !versions.isEmpty {
                    var then = found.filter { versions[$0.key] == nil }
                    for case .some(let version) in versions.values where key.map({ version.key > $0 }) ?? true {
                        then.append(version)
                    }
                    found = then.sorted { $0.key < $1.key }[...]
                }
            }
            let page = limit.map { found.prefix($0) } ?? found
            return StoreList(items: Array(page), revision: revision, remaining: found.count - page.count)
        }
    }

    func watch(prefix: String, after revision: Int64) throws(StoreError) -> StoreWatch {
        try state.withLock { state throws(StoreError) in try Self.check(revision, state) }
        return StoreWatch(self, prefix: prefix, after: revision)
    }

    private static func check(_ revision: Int64, _ state: borrowing State) throws(StoreError) {
        guard revision >= state.window.floor else { throw .compacted(oldest: state.window.floor) }
        guard revision <= state.window.current else {
            throw .future(revision: revision, current: state.window.current)
        }
    }

    /// What follows from events that have become visible.
    struct Publication: Sendable {
        /// The events that fell out of the window.
        let dropped: [StoreEvent]
        fileprivate let woken: [Waiter]
        fileprivate let wake: Wake

        /// Lets the watchers that wait for the events go on.
        func wakeWatchers() {
            for waiter in woken { waiter.resume(returning: wake) }
        }
    }

    /// Makes writes visible. Their watchers are still to be woken.
    func publish(_ events: [StoreEvent]) -> Publication {
        let now = ContinuousClock.now
        let (dropped, woken) = state.withLock { state in
            var dropped: [StoreEvent] = []
            var woken: [Waiter] = []
            for event in events {
                if event.kind == .deleted { state.index.remove(event.key) } else { state.index.put(event.object) }
                dropped += state.window.append(event, at: now)
                for group in [ObjectIndex.resource(of: event.key), ""] {
                    for (id, waiting) in state.waiting[group] ?? [:] where event.key.hasPrefix(waiting.prefix) {
                        state.waiting[group]?[id] = nil
                        woken.append(waiting.waiter)
                    }
                }
            }
            return (dropped, woken)
        }
        return Publication(
            dropped: dropped, woken: woken, wake: .events(after: (events.first?.revision ?? 1) - 1))
    }

    /// Ends all watches.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting.values.flatMap { $0.values.map(\.waiter) }
        }
        for waiter in waiting { waiter.resume(returning: .ended) }
    }
}

/// What a watch asks of the cache.
extension StoreCache {
    func events(after revision: Int64, prefix: String, limit: Int) throws(StoreError) -> StoreEvents? {
        try state.withLock { state throws(StoreError) in
            if state.isClosed { return nil }
            guard revision >= state.window.floor else { throw .compacted(oldest: state.window.floor) }
            return state.window.events(after: revision, prefix: prefix, limit: limit)
        }
    }

    /// Waits until there are events with the watch's prefix after `revision`, up to which it has seen all.
    func wait(_ watch: StoreWatch, after revision: Int64) async -> Wake {
        let id = ObjectIdentifier(watch)
        let group = Self.group(watch)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Wake? in
                    if state.isClosed || Task.isCancelled { return .ended }
                    if state.window.current > revision { return .events(after: revision) }
                    state.waiting[group, default: [:]][id] = (watch.prefix, continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            release(watch) { _ in .ended }
        }
    }

    private static func group(_ watch: StoreWatch) -> Substring {
        watch.prefix.contains("/") ? ObjectIndex.resource(of: watch.prefix) : ""
    }

    /// Lets the watch go on, if it waits, from the present.
    func release(_ watch: StoreWatch, _ wake: (_ current: Int64) -> Wake = { .events(after: $0) }) {
        let released = state.withLock { state in
            let waiting = state.waiting[Self.group(watch)]?.removeValue(forKey: ObjectIdentifier(watch))
            return waiting.map { ($0.waiter, state.window.current) }
        }
        if let (waiter, current) = released { waiter.resume(returning: wake(current)) }
    }
}
