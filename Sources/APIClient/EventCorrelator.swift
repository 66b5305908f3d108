import KubernetesModel

/// Decides what an occurrence becomes: a new event, a higher count, or nothing.
struct EventCorrelator {
    struct Verdict: Sendable {
        let identity: [String]
        /// The event to count up, if there is one.
        let existing: ObjectKey?
        let count: Int
        let message: String
    }

    private struct Counted {
        var key: ObjectKey?
        var count: Int
        var last: Timestamp
    }
    private struct Similar {
        var messages: Set<String>
        var last: Timestamp
    }
    private struct Bucket {
        var tokens: Double
        var last: Timestamp
    }

    /// client-go's figures: 25 events of one object at once, then one in five minutes; ten messages of one reason in
    /// ten minutes before they are combined; 4096 entries a cache.
    private static let burst = 25.0
    private static let refillSeconds = 300.0
    private static let similarLimit = 10
    private static let similarSeconds = 600.0
    private static let capacity = 4096

    private var counted: [[String]: Counted] = [:]
    private var similar: [[String]: Similar] = [:]
    private var buckets: [[String]: Bucket] = [:]

    mutating func correlate(_ occurrence: EventRecorder.Occurrence) -> Verdict? {
        trim()
        let reference = occurrence.reference
        let subject = ["kind", "namespace", "name", "uid", "fieldPath"].map { reference[$0].string ?? "" }
        let about = subject + [occurrence.kind.rawValue, occurrence.reason]

        var message = occurrence.message
        var alike = similar[about] ?? Similar(messages: [], last: occurrence.moment)
        if occurrence.moment.since(alike.last) > Self.similarSeconds { alike.messages = [] }
        alike.last = occurrence.moment
        let isCombined = !alike.messages.contains(message) && alike.messages.count >= Self.similarLimit
        if isCombined {
            message = "(combined from similar events): " + message
        } else {
            alike.messages.insert(message)
        }
        similar[about] = alike

        // Upstream's limit is by object, not by reason or field.
        let owner = Array(subject.prefix(4))
        var bucket = buckets[owner] ?? Bucket(tokens: Self.burst, last: occurrence.moment)
        bucket.tokens = min(
            Self.burst, bucket.tokens + max(0, occurrence.moment.since(bucket.last)) / Self.refillSeconds)
        bucket.last = occurrence.moment
        let allowed = bucket.tokens >= 1
        if allowed { bucket.tokens -= 1 }
        buckets[owner] = bucket

        // What is dropped is still counted: the next one that passes says how many there were.
        let identity = about + [isCombined ? "" : message]
        let count = (counted[identity]?.count ?? 0) + 1
        counted[identity] = Counted(key: counted[identity]?.key, count: count, last: occurrence.moment)
        guard allowed else { return nil }
        return Verdict(identity: identity, existing: counted[identity]?.key, count: count, message: message)
    }

    mutating func wrote(_ verdict: Verdict, as key: ObjectKey) {
        counted[verdict.identity]?.key = key
    }

    private mutating func trim() {
        func halve<Value>(_ entries: inout [[String]: Value], _ last: (Value) -> Timestamp) {
            guard entries.count > Self.capacity else { return }
            let kept = entries.sorted { last($0.value) > last($1.value) }.prefix(Self.capacity / 2)
            entries = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
        }
        halve(&counted, \.last)
        halve(&similar, \.last)
        halve(&buckets, \.last)
    }
}
