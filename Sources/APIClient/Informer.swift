import KubernetesModel
import Logging
import Retrying
import Synchronization

/// A change of one object, as an informer's handlers get it.
public enum Change: Sendable {
    case added(Object)
    case updated(old: Object, new: Object)
    /// The object's last known state.
    case deleted(Object)

    /// The object's newest known state.
    public var object: Object {
        switch self {
        case .added(let object), .updated(_, let object), .deleted(let object): object
        }
    }
    public var key: ObjectKey { object.key }
}

/// Which objects of a type an informer follows.
public struct InformerScope: Sendable, Hashable {
    /// Nil for all namespaces.
    public var namespace: String?
    public var labelSelector: String?
    public var fieldSelector: String?

    public init(namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil) {
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
    }
}

/// A local copy of all objects of one type, kept current by a list and then a watch.
///
/// The copy is read without waiting (`get`, `list`), so one reconciliation sees its objects without a suspension in
/// between; that is why its state is behind a lock and not in an actor. Handlers are called one change at a time and
/// in order, after the copy has the change; they must not block (they add a key to a work queue).
public final class Informer: Sendable {
    public typealias Handler = @Sendable (Change) -> Void
    /// The values under which an index files an object.
    public typealias IndexFunction = @Sendable (Object) -> [String]

    public let type: ResourceType
    public let scope: InformerScope
    private let client: any Client
    private let logger: Logger
    private let state: Mutex<State>

    private struct State: Sendable {
        var cache: ObjectCache
        var handlers: [Handler] = []
        var running = false
        var synced = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var revision = ""
    }

    /// - Parameter indexes: further ways to look objects up, by name; see `list(index:_:)`.
    public init(
        _ client: any Client, _ type: ResourceType, scope: InformerScope = InformerScope(),
        indexes: [String: IndexFunction] = [:], logger: Logger = Logger(label: "informer")
    ) {
        self.client = client
        self.type = type
        self.scope = scope
        self.logger = logger
        state = Mutex(State(cache: ObjectCache(indexes: indexes)))
    }

    /// Has `handler` called for every change from the first list on. To be called before `run`.
    public func addHandler(_ handler: @escaping Handler) {
        state.withLock { state in
            precondition(!state.running, "handlers are added to an informer before it runs")
            state.handlers.append(handler)
        }
    }

    /// All changes from the first list on. To be called before `run`; the buffer is unbounded, so it must be read.
    public func changes() -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self)
        addHandler { continuation.yield($0) }
        return stream
    }

    /// True once the first list is in the cache.
    public var hasSynced: Bool { state.withLock { $0.synced } }

    /// Waits for the first list; returns at once after it. Returns also where `run` has ended by cancellation.
    public func waitForSync() async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                if !state.synced { state.waiters.append(continuation) }
                return state.synced
            }
            if ready { continuation.resume() }
        }
    }

    public func get(_ key: ObjectKey) -> Object? { state.withLock { $0.cache[key] } }
    public func get(namespace: String = "", _ name: String) -> Object? {
        get(ObjectKey(namespace: namespace, name: name))
    }
    /// The objects of a namespace, or all, in no particular order.
    public func list(namespace: String? = nil) -> [Object] { state.withLock { $0.cache.list(namespace: namespace) } }
    /// The objects that the index files under `value`.
    public func list(index: String, _ value: String) -> [Object] {
        state.withLock { $0.cache.list(index: index, value) }
    }
    public var count: Int { state.withLock { $0.cache.count } }
    /// The revision that the copy has reached.
    public var resourceVersion: String { state.withLock { $0.revision } }

    /// Lists and watches until the task is cancelled. Errors are logged and tried again with a growing wait.
    public func run() async {
        state.withLock { state in
            precondition(!state.running, "an informer runs once")
            state.running = true
        }
        var backoff = Backoff.reconnect
        var listed = false
        while !Task.isCancelled {
            do {
                if !listed {
                    try await list()
                    listed = true
                    backoff.reset()
                }
                if try await watch() { backoff.reset() }
            } catch is CancellationError {
                break
            } catch let status as Status where status.isExpired {
                listed = false
            } catch {
                // After an outage the server may have lost the place of this watch: list anew, which sends no change
                // for an object that stayed the same.
                listed = false
                logger.debug("\(type): \(error); trying again")
                try? await Task.sleep(for: backoff.next())
            }
        }
        release()
    }

    private func list() async throws {
        var options = ListOptions(labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector)
        var items: [Object] = []
        var revision: String
        repeat {
            let page = try await client.list(type, namespace: scope.namespace, options: options)
            items += page.items
            revision = page.resourceVersion
            options.continueToken = page.continueToken
        } while options.continueToken?.isEmpty == false
        let (changes, handlers) = state.withLock { state in
            state.revision = revision
            return (state.cache.replace(with: items), state.handlers)
        }
        for change in changes { for handler in handlers { handler(change) } }
        release()
    }

    /// Follows one watch to its end. Returns whether it brought anything.
    private func watch() async throws -> Bool {
        let options = ListOptions(
            labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector, resourceVersion: resourceVersion,
            allowBookmarks: true)
        var any = false
        for try await event in client.watch(type, namespace: scope.namespace, options: options) {
            any = true
            let (change, handlers) = state.withLock { state in
                switch event {
                case .added(let object), .modified(let object):
                    state.revision = object.resourceVersion
                    return (state.cache.put(object), state.handlers)
                case .deleted(let object):
                    state.revision = object.resourceVersion
                    return (state.cache.remove(object), state.handlers)
                case .bookmark(let revision):
                    state.revision = revision
                    return (nil, [])
                }
            }
            if let change { for handler in handlers { handler(change) } }
        }
        try Task.checkCancellation()
        // A server that ends watches at once must not make this a busy loop.
        if !any { try await Task.sleep(for: .milliseconds(20)) }
        return any
    }

    private func release() {
        let waiters = state.withLock { state in
            state.synced = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
