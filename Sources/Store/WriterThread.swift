import Glibc

/// Writes on their way from many tasks to the writer thread.
///
/// `@unchecked Sendable`: everything mutable is touched only while the POSIX mutex is held. `Mutex` would not do, for
/// the thread has to sleep until a write comes.
final class WriteQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var writes: [PendingWrite] = []
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func add(_ write: PendingWrite) {
        pthread_mutex_lock(mutex)
        let accepted = !isClosed
        if accepted { writes.append(write) }
        pthread_mutex_unlock(mutex)
        if accepted {
            pthread_cond_signal(condition)
        } else {
            write.continuation.resume(returning: .failure(.closed))
        }
    }

    /// Waits for writes and takes all there are. Nil when the queue is closed and empty. Blocks.
    func take() -> [PendingWrite]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while writes.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(condition, mutex)
        }
        defer { writes = [] }
        return writes
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }
}

/// The thread on which a store's writes are made, since they block.
final class WriterThread: Sendable {
    private let end: AsyncStream<Never>

    private final class Work {
        let queue: WriteQueue
        var sequencer: WriteSequencer
        let end: AsyncStream<Never>.Continuation

        init(queue: WriteQueue, sequencer: WriteSequencer, end: AsyncStream<Never>.Continuation) {
            self.queue = queue
            self.sequencer = sequencer
            self.end = end
        }

        func run() {
            while let writes = queue.take() { sequencer.process(writes) }
            sequencer.database.close()
            end.finish()
        }
    }

    /// Starts the thread; it ends when the queue is closed and empty, and closes the database.
    init(queue: WriteQueue, sequencer: WriteSequencer) {
        let (end, continuation) = AsyncStream.makeStream(of: Never.self)
        self.end = end
        let work = Unmanaged.passRetained(Work(queue: queue, sequencer: sequencer, end: continuation))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            }, work.toOpaque())
        precondition(failure == 0, "no thread for the store: \(String(cString: strerror(failure)))")
        pthread_detach(thread)
    }

    /// Waits until the thread has made its last write.
    func ended() async {
        // A cancelled task would stop waiting at once, and the process would end with the database open.
        await Task { [end] in for await _ in end {} }.value
    }
}
