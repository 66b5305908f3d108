import APIClient
import Logging

/// One controller, ready to run: it has asked for its informers and added its handlers.
protocol ControlLoop: Sendable {
    /// Controls until the task is cancelled.
    func run() async
}

/// What every controller is made from.
struct ControlLoopContext: Sendable {
    let client: any Client
    let informers: SharedInformers
    let options: ControllerOptions
    let logger: Logger

    func recorder(_ component: String) -> EventRecorder { EventRecorder(client, component: component, logger: logger) }
}

extension ControlLoop {
    /// Runs controllers together with what writes their events.
    func run(_ controllers: [Controller], recorder: EventRecorder? = nil) async {
        await withDiscardingTaskGroup { group in
            if let recorder { group.addTask { await recorder.run() } }
            for controller in controllers { group.addTask { await controller.run() } }
        }
    }
}
