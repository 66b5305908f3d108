import DequeModule

/// The most recent events, whose revisions follow each other without a gap.
struct EventWindow: Sendable {
    struct Limits: Sendable {
        var count = 10_000
        /// Of the text of versions that only the window keeps in memory.
        var bytes = 8 << 20
        var age: Duration = .seconds(300)
        /// How many of the newest events keep the version before them decoded, for the watchers that look at it.
        var decoded = 256
    }

    private let limits: Limits
    private var events: Deque<(event: StoreEvent, moment: ContinuousClock.Instant)> = []
    private var bytes = 0
    /// All events after this revision are in the window.
    private(set) var floor: Int64

    init(floor: Int64, limits: Limits) {
        self.floor = floor
        self.limits = limits
    }

    var current: Int64 { floor + Int64(events.count) }

    /// Appends the next event; returns the ones that are too old now.
    mutating func append(_ event: StoreEvent, at moment: ContinuousClock.Instant) -> [StoreEvent] {
        precondition(event.revision == current + 1, "revisions follow each other")
        events.append((event, moment))
        bytes += event.previous?.bytes.count ?? 0
        if events.count > limits.decoded { events[events.count - 1 - limits.decoded].event.previous?.releaseDecoded() }
        var dropped: [StoreEvent] = []
        while let first = events.first,
            events.count > limits.count || bytes > limits.bytes || moment - first.moment > limits.age
        {
            events.removeFirst()
            floor += 1
            bytes -= first.event.previous?.bytes.count ?? 0
            dropped.append(first.event)
        }
        return dropped
    }

    /// At most `limit` events with `prefix` after `revision`, and the revision up to which they are all of them.
    func events(after revision: Int64, prefix: String, limit: Int) -> StoreEvents {
        var found: [StoreEvent] = []
        var index = Int(revision - floor)
        while index < events.count, found.count < limit {
            if events[index].event.key.hasPrefix(prefix) { found.append(events[index].event) }
            index += 1
        }
        return StoreEvents(events: found, revision: floor + Int64(index))
    }

    /// What the keys with `prefix` that have changed after `revision` were then; nil where one did not exist.
    func versions(at revision: Int64, prefix: String) -> [String: StoredObject?] {
        var versions: [String: StoredObject?] = [:]
        for index in Int(revision - floor)..<events.count {
            let event = events[index].event
            guard event.key.hasPrefix(prefix), versions[event.key] == nil else { continue }
            versions[event.key] = .some(event.previous)
        }
        return versions
    }
}
