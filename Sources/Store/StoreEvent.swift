/// One write, as watchers see it.
public struct StoreEvent: Sendable {
    public enum Kind: Sendable {
        case created, modified, deleted
    }

    public let kind: Kind
    /// The new version; for a deletion, the last one with the revision of the deletion.
    public let object: StoredObject
    /// The version before; nil where the object is new.
    public let previous: StoredObject?

    public var revision: Int64 { object.revision }
    public var key: String { object.key }

    init(_ object: StoredObject, previous: StoredObject?, isDeletion: Bool = false) {
        kind = isDeletion ? .deleted : previous == nil ? .created : .modified
        self.object = object
        self.previous = previous
    }
}

/// Events in order; none where a watcher only learns how far it has come.
public struct StoreEvents: Sendable {
    public let events: [StoreEvent]
    /// With these, the watcher has seen every event of its prefix up to this revision.
    public let revision: Int64
}
