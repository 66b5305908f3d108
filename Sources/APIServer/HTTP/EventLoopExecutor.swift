import NIOCore

/// Runs the tasks of a connection on the connection's own event loop.
///
/// A request then passes from the socket to the store and back without a change of thread, which costs more than most
/// requests. Long work goes to the pool with `withTaskExecutorPreference`.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// The executors of a group's event loops.
    struct Group: Sendable {
        private let executors: [ObjectIdentifier: EventLoopExecutor]

        init(_ group: any EventLoopGroup) {
            var executors: [ObjectIdentifier: EventLoopExecutor] = [:]
            for eventLoop in group.makeIterator() {
                executors[ObjectIdentifier(eventLoop)] = EventLoopExecutor(eventLoop)
            }
            self.executors = executors
        }

        /// Nil, which is no preference, for an event loop of another group.
        subscript(eventLoop: any EventLoop) -> EventLoopExecutor? { executors[ObjectIdentifier(eventLoop)] }
    }
}
