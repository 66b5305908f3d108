import Glibc
import Supervisor
import Synchronization

/// What Ctrl-C does to a command that changes a cluster: what it began is taken back or brought to its end, and then it
/// ends as the signal would have ended it at once.
enum Interruption {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Runs `body`, which is cancelled by the first such signal. The second one ends this process at once.
    static func heeding(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let work = Task { try await body() }
        let received = Mutex<Int32?>(nil)
        // What whoever started this wants ignored, as nohup does, stays so.
        let terminations = TerminationSignals(signals.filter { !isIgnored($0) })
        let watcher = Task {
            for await number in terminations.signals {
                let isFirst = received.withLock { received in
                    defer { received = number }
                    return received == nil
                }
                guard isFirst else { _exit(128 + number) }
                Console.error("interrupted")
                work.cancel()
            }
        }
        let result = await work.result
        watcher.cancel()
        guard let number = received.withLock({ $0 }) else { return try result.get() }
        if case .failure(let error) = result, !(error is CancellationError) { Console.error("\(error)") }
        signal(number, SIG_DFL)
        raise(number)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var present = sigaction()
        sigaction(number, nil, &present)
        return unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
