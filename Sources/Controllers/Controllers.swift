/// Controllers: the control loops that bring the actual state of the cluster to the desired state.
///
/// One directory a controller. Each compares the objects that its informers hold with what they should be, in functions
/// without input or output, and writes the difference through a `Client`; it remembers no events and reads nothing
/// but the API. It never touches a process, a file or the network.

import APIClient
import Logging

/// All controllers of a cluster.
public struct Controllers: Sendable {
    private let informers: SharedInformers
    private let runsInformers: Bool
    private let loops: [ControlLoop]
    private let recorders: [EventRecorder]

    /// - Parameter informers: those of the process; the caller runs them, after everyone has made its own. Nil to have
    ///   informers that `run` runs.
    public init(client: any Client, informers: SharedInformers? = nil, options: ControllerOptions) {
        self.informers = informers ?? SharedInformers(client, logger: options.logger)
        runsInformers = informers == nil
        let context = ControllerContext(client: client, informers: self.informers, options: options)
        let controllers = Self.all(context)
        loops = controllers.map { $0.loop(logger: options.logger) }
        recorders = context.recorders
    }

    /// The list of controllers: a new one is a directory and a line here.
    private static func all(_ context: ControllerContext) -> [any Controller] {
        [
            NamespaceContentsController(context),
            NamespaceDeletionController(context),
            DeploymentController(context),
            ReplicaSetController(context, type: .replicaSets),
            ReplicaSetController(context, type: .replicationControllers),
            EndpointsController(context),
            EndpointSliceController(context),
            EndpointSliceMirroringController(context),
            LoadBalancerController(context),
            DisruptionController(context),
            GarbageCollector(context),
            NodeHealthController(context),
            TaintEvictionController(context),
            PodGarbageCollector(context),
            EventExpiryController(context),
        ]
    }

    /// Controls until the task is cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            if runsInformers { group.addTask { await informers.run() } }
            for recorder in recorders { group.addTask { await recorder.run() } }
            for loop in loops { group.addTask { await loop.run() } }
        }
    }
}
