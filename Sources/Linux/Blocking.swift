import CLinux
import Glibc
import Synchronization

/// Threads for calls that block, so that the cooperative pool does not.
public enum Blocking {
    /// Runs `body` on a thread outside the cooperative pool.
    ///
    /// Threads are made as needed, up to eight, and end after some idle seconds.
    public static func run<Result: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Swift.Result<Result, Failure>, Never>) in
            workers.submit {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Begins `body` on such a thread and does not wait for it.
    public static func start(_ body: @escaping @Sendable () -> Void) { workers.submit(body) }

    /// Runs what blocks for as long as the process lives, such as a loop that accepts connections, on a thread of its
    /// own.
    public static func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
        Linux.startThread(name: name, body)
    }

    private static let workers = Workers()
}

/// Runs an actor, whose work blocks, on the threads of `Blocking`: one piece after the other, as actors do.
public final class BlockingExecutor: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isRunning = false
    }

    private let state = Mutex(State())

    public init() {}

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = state.withLock { state in
            state.jobs.append(job)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if isFirst { Blocking.start { self.run() } }
    }

    private func run() {
        while let job = next() { job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            guard state.jobs.isEmpty else { return state.jobs.removeFirst() }
            state.isRunning = false
            return nil
        }
    }
}

private final class Workers: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
    }

    private let state = Mutex(State())
    // A semaphore counts the jobs; it lives as long as the process and is never moved.
    private nonisolated(unsafe) let available: UnsafeMutablePointer<sem_t>

    init() {
        available = .allocate(capacity: 1)
        sem_init(available, 0, 0)
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.jobs.append(job)
            guard state.idle < state.jobs.count, state.threads < 8 else { return false }
            state.threads += 1
            return true
        }
        sem_post(available)
        if needsThread { startThread(name: "blocking") { self.run() } }
    }

    private func run() {
        while true {
            state.withLock { $0.idle += 1 }
            var until = timespec()
            clock_gettime(CLOCK_REALTIME, &until)
            until.tv_sec += 5
            var result = sem_timedwait(available, &until)
            while result == -1, errno == EINTR { result = sem_timedwait(available, &until) }
            let next: Next = state.withLock { state in
                state.idle -= 1
                if result == 0 { return state.jobs.isEmpty ? .wait : .job(state.jobs.removeFirst()) }
                // A job that came in just now has posted the semaphore, or is about to.
                guard state.jobs.isEmpty else { return .wait }
                state.threads -= 1
                return .end
            }
            switch next {
            case .job(let job): job()
            case .wait: continue
            case .end: return
            }
        }
    }

    private enum Next {
        case job(@Sendable () -> Void)
        case wait
        case end
    }
}

/// Starts a detached thread.
func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 * 1024)
    var thread = pthread_t()
    let box = Unmanaged.passRetained(
        Box {
            clinux_name_thread(name)
            body()
        })
    let result = pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    precondition(result == 0, "pthread_create: errno \(result)")
    pthread_attr_destroy(&attributes)
}
