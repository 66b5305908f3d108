/// Controllers: the loops that make what is into what was asked for.
///
/// One directory a controller. Each compares the objects that its informers hold with what they should be, in functions
/// without input or output, and writes the difference through a `Client`; it remembers no events and reads nothing
/// but the API. It never touches a process, a file or the network.

import APIClient
import KubernetesModel
import Logging

/// All controllers of a cluster.
public struct Controllers: Sendable {
    private let informers: SharedInformers
    private let runsInformers: Bool
    private let loops: [any ControlLoop]

    /// - Parameter informers: those of the process; the caller runs them, after everyone has made its own. Nil to have
    ///   informers that `run` runs.
    public init(client: any Client, informers: SharedInformers? = nil, options: ControllerOptions) {
        let logger = options.logger
        self.informers = informers ?? SharedInformers(client, logger: logger)
        runsInformers = informers == nil
        let context = ControlLoopContext(client: client, informers: self.informers, options: options, logger: logger)
        loops = [
            NamespaceController(context), DeploymentController(context),
            ReplicaSetController(context, type: .replicaSets),
            ReplicaSetController(context, type: .replicationControllers), EndpointsController(context),
            EndpointSliceController(context), EndpointSliceMirroringController(context),
            LoadBalancerController(context), GarbageCollector(context),
            NodeLifecycleController(context), PodGarbageCollector(context), EventExpiry(context),
        ]
    }

    /// Controls until the task is cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            if runsInformers { group.addTask { await informers.run() } }
            for loop in loops { group.addTask { await loop.run() } }
        }
    }
}
