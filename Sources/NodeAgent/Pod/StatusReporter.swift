import APIClient
import KubernetesModel
import Logging
import Synchronization

/// Writes a pod's status, one request at a time, and only where it differs from what was written last.
///
/// Its state is behind a lock and not in an actor, so that a worker's turn is not interrupted to offer a status.
final class StatusReporter: Sendable {
    private struct State {
        var wanted: JSON?
        var written: JSON?
        var waiters: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let client: any Client
    private let key: ObjectKey
    private let uid: String
    private let logger: Logger
    private let state = Mutex(State())
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init(_ client: any Client, pod: Object, logger: Logger) {
        self.client = client
        key = pod.key
        uid = pod.uid
        self.logger = logger
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The API has this status already.
    func assumeWritten(_ status: JSON) { state.withLock { $0.written = status } }

    /// Takes a status to be written. One that others wait for (ready or not, ended) is written at once.
    ///
    /// - Returns: whether nothing more is to be done; false where `write` has to follow.
    func offer(_ status: JSON) -> Bool {
        let (isNew, isUrgent) = state.withLock { state in
            state.wanted = status
            guard status != state.written else { return (false, false) }
            let before = state.written ?? .null
            let urgent =
                Self.isReady(status) != Self.isReady(before) || Self.isTerminal(status) != Self.isTerminal(before)
            return (true, urgent)
        }
        if isUrgent { signal.yield() }
        return !isNew || isUrgent
    }

    /// Has the status that was offered last written.
    func write() { signal.yield() }

    /// Offers a status and waits until it is written.
    func flush(_ status: JSON) async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                state.wanted = status
                if state.isClosed { return true }
                state.waiters.append(continuation)
                return false
            }
            if isDone { continuation.resume() } else { signal.yield() }
        }
    }

    private static func isReady(_ status: JSON) -> Bool {
        status["conditions"].items.contains { $0["type"].string == "Ready" && $0["status"].string == "True" }
    }
    private static func isTerminal(_ status: JSON) -> Bool {
        ["Failed", "Succeeded"].contains(status["phase"].string)
    }

    /// Writes until the task is cancelled.
    func run() async {
        for await _ in signals {
            var delay = 0.05
            while !Task.isCancelled, let status = next() {
                do {
                    try await put(status)
                    state.withLock { $0.written = status }
                    delay = 0.05
                } catch {
                    logger.debug("status of pod \(key) not written, trying again: \(error)")
                    try? await Task.sleep(for: .seconds(delay))
                    delay = min(delay * 2, 5)
                }
            }
        }
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The status to write; nil where the last one is written, of which those who wait for it are told.
    private func next() -> JSON? {
        let (status, waiters) = state.withLock { state -> (JSON?, [CheckedContinuation<Void, Never>]) in
            if let wanted = state.wanted, wanted != state.written { return (wanted, []) }
            defer { state.waiters = [] }
            return (nil, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        return status
    }

    private func put(_ status: JSON) async throws {
        // The UID keeps the patch off a new pod of the same name.
        let patch: JSON = ["metadata": ["uid": .string(uid)], "status": status]
        do {
            try await client.patch(
                .pods, namespace: key.namespace, name: key.name, subresource: "status", .strategicMerge(patch))
        } catch let status as Status where status.isNotFound || status.isConflict {
            // The pod is gone: nobody is left to be told.
        } catch let status as Status where status.code == 422 {
            logger.error("the API server refuses the status of pod \(key): \(status.message)")
        }
    }
}
