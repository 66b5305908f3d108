/// Repeats `attempt` until it succeeds.
///
/// - Parameter failed: called with each failure, before the wait.
/// - Throws: `CancellationError` once the task is cancelled, and nothing else.
public func retry<Value>(
    _ backoff: Backoff, isolation: isolated (any Actor)? = #isolation,
    failed: (any Error) -> Void = { _ in }, _ attempt: () async throws -> Value
) async throws(CancellationError) -> Value {
    var backoff = backoff
    while true {
        do {
            return try await attempt()
        } catch {
            if Task.isCancelled { throw CancellationError() }
            failed(error)
            do { try await Task.sleep(for: backoff.next()) } catch { throw CancellationError() }
        }
    }
}
