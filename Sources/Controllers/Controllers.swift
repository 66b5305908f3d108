/// Controllers: the loops that make what is into what was asked for.
///
/// One folder a controller. Each compares the objects that its informers hold with what they should be, in functions
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

public struct ControllerOptions: Sendable {
    /// The cluster's CA certificate in PEM, which every namespace gets in the ConfigMap `kube-root-ca.crt`.
    public var rootCertificate: String
    /// Every type that the API serves and that can be listed and deleted: what a namespace's deletion empties, and
    /// where owners and what they own are looked for.
    public var types: [ResourceType]
    /// How long a node's lease may stay unrenewed before the node counts as unreachable.
    public var nodeMonitorGracePeriod: Duration = .seconds(40)
    /// How many ended pods may stay.
    public var terminatedPodLimit = 12500
    public var eventLifetime: Duration = .seconds(3600)
    /// LoadBalancer Services get addresses from 127.<this>.0.0/16.
    public var loadBalancerOctet = 16
    public var logger = Logger(label: "controllers")

    public init(rootCertificate: String, types: [ResourceType]) {
        self.rootCertificate = rootCertificate
        self.types = types
    }
}

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
