import APIClient
import KubernetesModel
import Logging
import Retrying
import Synchronization

/// Writes a pod's status as `StatusPublication` decides.
///
/// Its state is behind a lock and not in an actor, so that a worker's turn is not interrupted to offer a status.
final class StatusReporter: Sendable {
    private struct State {
        var publication = StatusPublication()
        var waiters: [CheckedContinuation<Void, Never>] = []
        var backoff = Backoff.status
        var isClosed = false
    }

    private let client: any Client
    private let key: ObjectKey
    private let uid: String
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let state = Mutex(State())
    private let steps: AsyncStream<StatusPublication.Step>
    private let step: AsyncStream<StatusPublication.Step>.Continuation

    /// How long a status that nobody waits for is held back.
    private static let pause = Duration.milliseconds(100)

    init(_ client: any Client, pod: Object, clock: any Clock<Duration>, logger: Logger) {
        self.client = client
        key = pod.key
        uid = pod.uid
        self.clock = clock
        self.logger = logger
        (steps, step) = AsyncStream.makeStream()
    }

    /// The API has this status already.
    func assumeWritten(_ status: JSON) { state.withLock { $0.publication.assume(status) } }

    /// Takes the status as it is now, to be written sooner or later.
    func offer(_ status: JSON) { advance { $0.offer(status) } }

    /// Offers a status and waits until it is written.
    func flush(_ status: JSON) async {
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.waiters.append(continuation) }
                return state.isClosed
            }
            if isClosed { continuation.resume() } else { advance { $0.demand(status) } }
        }
    }

    /// Writes until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await step in steps {
                switch step {
                case .nothing: break
                case .write(let status): group.addTask { await self.write(status) }
                case .hold:
                    group.addTask {
                        guard (try? await self.clock.sleep(for: Self.pause)) != nil else { return }
                        self.advance { $0.release() }
                    }
                }
            }
            group.cancelAll()
        }
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func advance(_ body: (inout StatusPublication) -> StatusPublication.Step) {
        let (next, waiters) = state.withLock { state -> (StatusPublication.Step, [CheckedContinuation<Void, Never>]) in
            let next = body(&state.publication)
            guard state.publication.isSettled else { return (next, []) }
            defer { state.waiters = [] }
            return (next, state.waiters)
        }
        if next != .nothing { step.yield(next) }
        for waiter in waiters { waiter.resume() }
    }

    private func write(_ status: JSON) async {
        do {
            try await put(status)
            state.withLock { $0.backoff.reset() }
            return advance { $0.completed(success: true) }
        } catch {
            logger.debug("status of pod \(key) not written, trying again: \(error)")
        }
        let delay = state.withLock { $0.backoff.next() }
        guard (try? await clock.sleep(for: delay)) != nil else { return }
        advance { $0.completed(success: false) }
    }

    private func put(_ status: JSON) async throws {
        // The UID keeps the patch off a new pod of the same name.
        let patch: JSON = ["metadata": ["uid": .string(uid)], "status": status]
        do {
            try await client.patch(
                .pods, namespace: key.namespace, name: key.name, subresource: "status", .strategicMerge(patch))
        } catch let status as Status where status.isNotFound || status.isConflict {
            // The pod is gone.
        } catch let status as Status where status.code == 422 {
            logger.error("the API server refuses the status of pod \(key): \(status.message)")
        }
    }
}
