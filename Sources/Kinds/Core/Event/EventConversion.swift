import KubernetesModel

/// Events of the core group as those of events.k8s.io, and back.
enum EventConversion {
    /// A field's name in the core group, and in events.k8s.io.
    private static let names = [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ]

    @Sendable static func fromCore(_ event: inout Object) {
        for (core, current) in names { rename(&event, core, current) }
    }

    @Sendable static func toCore(_ event: inout Object) {
        for (core, current) in names { rename(&event, current, core) }
    }

    private static func rename(_ event: inout Object, _ from: String, _ to: String) {
        let value = event[from]
        guard !value.isNull else { return }
        event[from] = .null
        event[to] = value
    }
}
