import Dispatch

/// Runs an actor on a dispatch queue of its own, whose thread may block, in place of the cooperative pool.
final class BlockingExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "martlet.images")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
