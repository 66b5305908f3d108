import KubernetesModel
import Logging

/// Compares the actual state with the desired state of one object, and acts.
///
/// Level-triggered: it gets the key of the object, never what happened to it.
public protocol Reconciler: Sendable {
    /// - Returns: when to reconcile again without a change; nil for never.
    /// - Throws: to be called again after a wait that grows with each failure in a row.
    func reconcile(_ key: ObjectKey) async throws -> Requeue?
}

public enum Requeue: Sendable, Hashable {
    case after(Duration)
    /// After a growing wait, as a failure, but not logged as one.
    case withBackoff
}

/// Runs a reconciler over a queue of keys, with some workers at once but never two on one key.
public struct ControlLoop: Sendable {
    public let name: String
    public let queue: WorkQueue<ObjectKey>
    private let reconciler: any Reconciler
    private let workers: Int
    private let informers: [Informer]
    private let logger: Logger

    /// - Parameter informers: what the reconciler reads; workers begin when all of them have synced. The caller runs
    ///   them.
    public init(
        name: String, queue: WorkQueue<ObjectKey> = WorkQueue(), reconciler: any Reconciler,
        reads informers: [Informer] = [], workers: Int = 4, logger: Logger = Logger(label: "control-loop")
    ) {
        self.name = name
        self.queue = queue
        self.reconciler = reconciler
        self.workers = workers
        self.informers = informers
        self.logger = logger
    }

    /// Works until the task is cancelled.
    public func run() async {
        for informer in informers { await informer.waitForSync() }
        await withDiscardingTaskGroup { group in
            group.addTask { await queue.run() }
            for _ in 0..<workers { group.addTask { await work() } }
        }
    }

    private func work() async {
        while let key = await queue.next() {
            do {
                let requeue = try await reconciler.reconcile(key)
                switch requeue {
                case .after(let wait):
                    queue.forget(key)
                    queue.add(key, after: wait)
                case .withBackoff: queue.addRateLimited(key)
                case nil: queue.forget(key)
                }
            } catch is CancellationError {
                queue.done(key)
                return
            } catch {
                // A conflict is everyday: the informer's copy was old, and its update is on the way.
                let isConflict = (error as? Status)?.isConflict ?? false
                logger.log(level: isConflict ? .debug : .warning, "\(name): \(key): \(error)")
                queue.addRateLimited(key)
            }
            queue.done(key)
        }
    }
}
