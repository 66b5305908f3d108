/// Store: the cluster's objects, by key and revision.
///
/// Every write gets the next revision; it is on disk before it is answered, and only then can it be read or watched.
/// Reads, lists and watches are served from memory: the latest state of all keys, and a window of recent events. The
/// store knows nothing of kinds, defaults or permissions: it keeps what it is given, as JSON.

import KubernetesModel

/// A revisioned map from keys to objects.
///
/// A key is a path: the resource, then the namespace if it has one, then the name: `pods/default/web-1`,
/// `deployments.apps/default/web`, `nodes/node-1`. A prefix ends with `/`.
public protocol Store: Sendable {
    /// The revision of the last write. It survives restarts and never goes back.
    var revision: Int64 { get }

    func get(_ key: String) -> StoredObject?

    /// The objects whose keys begin with `prefix`, in the order of their keys.
    ///
    /// - Parameters:
    ///   - limit: nil for all.
    ///   - key: only what comes after this key: the last one of the page before.
    ///   - revision: the moment to list at; nil for now.
    /// - Throws: `.compacted` where `revision` is older than the history, `.future` where it has not been reached.
    func list(prefix: String, limit: Int?, after key: String?, at revision: Int64?) throws(StoreError) -> StoreList

    /// The events after `revision` of keys that begin with `prefix`, in order, without end.
    ///
    /// - Throws: `.compacted` where `revision` is older than the history, `.future` where it has not been reached.
    func watch(prefix: String, after revision: Int64) throws(StoreError) -> StoreWatch

    /// Puts or deletes one object if `expectation` holds, and returns when that is durable.
    ///
    /// The object gets its revision as `metadata.resourceVersion`. For a deletion the result is the object's last state
    /// with the revision of the deletion.
    /// - Throws: `.alreadyExists`, `.notFound` or `.conflict` where the expectation does not hold, `.unavailable` where
    ///   the write could not be made durable; nothing is changed then.
    @discardableResult
    func write(_ key: String, expecting expectation: Expectation, _ change: StoreChange) async throws(StoreError)
        -> StoredObject

    /// Makes every write that was begun durable, and ends. Later writes fail, and watches end.
    func close() async
}

extension Store {
    public func list(prefix: String) -> [StoredObject] {
        // Listing the present cannot fail.
        (try? list(prefix: prefix, limit: nil, after: nil, at: nil))?.items ?? []
    }
}

/// What must be true of a key for a write to it to be made.
public enum Expectation: Sendable, Hashable {
    case absent
    /// The key's object has this revision.
    case revision(Int64)
    /// Nothing; but only an object that exists can be deleted.
    case any
}

public enum StoreChange: Sendable {
    case put(Object)
    case delete
}

/// A page of objects, and the revision at which they were all current.
public struct StoreList: Sendable {
    public let items: [StoredObject]
    public let revision: Int64
    /// How many objects come after this page.
    public let remaining: Int
}

/// Why the store could not do what it was asked.
public enum StoreError: Error, Sendable, CustomStringConvertible {
    case notFound(key: String)
    case alreadyExists(StoredObject)
    /// The object that is there has another revision than was expected.
    case conflict(StoredObject)
    /// History begins after `oldest`; the asker must list anew.
    case compacted(oldest: Int64)
    case future(revision: Int64, current: Int64)
    case closed
    /// The database cannot be used.
    case unavailable(file: String, problem: String, remedy: String)

    public var description: String {
        switch self {
        case .notFound(let key): "\(key) does not exist"
        case .alreadyExists(let object): "\(object.key) exists already, at revision \(object.revision)"
        case .conflict(let object): "\(object.key) is at revision \(object.revision), which is not the expected one"
        case .compacted(let oldest): "the history before revision \(oldest) has been compacted"
        case .future(let revision, let current): "revision \(revision) is in the future; the present is \(current)"
        case .closed: "the store is closed"
        case .unavailable(let file, let problem, let remedy): "\(file): \(problem); \(remedy)"
        }
    }
}
