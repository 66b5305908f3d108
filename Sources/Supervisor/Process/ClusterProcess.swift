import Linux
import Logging
import Systemd

/// What every process of a cluster but the supervisor does: works until it is asked to end.
public enum ClusterProcess {
    /// - Throws: `SupervisorError`, why it cannot work.
    public static func run(
        _ label: String, _ body: @escaping @Sendable (Logger) async throws -> Void
    ) async throws {
        OpenFileLimit.raise()
        let logger = Logger(label: label)
        let terminations = TerminationSignals()
        // It beats by the same threads as the work, so that it falls silent when they are stuck.
        let heartbeat = Task { await Notify.inherited.keepWatchdog() }
        let memory = Task { await FreeMemory.keepGivingBack() }
        defer {
            heartbeat.cancel()
            memory.cancel()
        }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body(logger) }
                group.addTask {
                    for await _ in terminations.signals { return }
                }
                try await group.next()
                Notify.inherited.stopping()
                group.cancelAll()
            }
        } catch is CancellationError {
            return
        } catch let error as SupervisorError {
            throw error
        } catch {
            throw SupervisorError.failed(String(describing: error))
        }
    }
}
