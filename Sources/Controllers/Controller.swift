import APIClient
import KubernetesModel
import Logging

/// One controller. Its initialiser takes what it reads and writes from a `ControllerContext`.
protocol Controller: Reconciler {
    /// The name by which the log calls it.
    var name: String { get }
    /// How many keys are reconciled at once.
    var workers: Int { get }
    /// The informers that `reconcile` reads: the first key is reconciled when all of them have synced.
    var reads: [Informer] { get }

    /// Adds the handlers by which changes bring keys to the queue.
    func watch(_ queue: WorkQueue<ObjectKey>)
}

extension Controller {
    var workers: Int { 4 }

    /// The controller, ready to run.
    func loop(logger: Logger) -> ControlLoop {
        let queue = WorkQueue<ObjectKey>()
        watch(queue)
        return ControlLoop(
            name: name, queue: queue, reconciler: self, reads: reads, workers: workers, logger: logger)
    }
}

/// What every controller is made from.
final class ControllerContext {
    let client: any Client
    let informers: SharedInformers
    let options: ControllerOptions
    /// Those of all controllers, which write while they run.
    private(set) var recorders: [EventRecorder] = []

    init(client: any Client, informers: SharedInformers, options: ControllerOptions) {
        self.client = client
        self.informers = informers
        self.options = options
    }

    /// A recorder of events that name `component` as their source.
    func recorder(_ component: String) -> EventRecorder {
        let recorder = EventRecorder(client, component: component, logger: options.logger)
        recorders.append(recorder)
        return recorder
    }
}
