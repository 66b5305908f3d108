import KubernetesModel
import Logging
import Synchronization

/// One informer a type for a whole process, however many controllers read it.
///
/// Everything that reads asks for its informers and adds its handlers first; then `run` runs them all.
public final class SharedInformers: Sendable {
    /// Index of every informer: objects by the UID of the owner that manages them.
    public static let byController = "controller"
    /// Index of every informer: objects that nobody manages, by namespace.
    public static let unmanaged = "unmanaged"
    /// Index of the pods: by `spec.nodeName`, "" for those without a node.
    public static let byNode = "node"

    private struct State {
        var informers: [ResourceType: Informer] = [:]
        var running = false
    }

    public let client: any Client
    private let logger: Logger
    private let state = Mutex(State())

    public init(_ client: any Client, logger: Logger = Logger(label: "informer")) {
        self.client = client
        self.logger = logger
    }

    /// The informer of all objects of `type`. To be called before `run`.
    public subscript(type: ResourceType) -> Informer {
        state.withLock { state in
            if let informer = state.informers[type] { return informer }
            precondition(!state.running, "informers are asked for before they run")
            let informer = Informer(client, type, indexes: Self.indexes(of: type), logger: logger)
            state.informers[type] = informer
            return informer
        }
    }

    /// Keeps all informers current until the task is cancelled.
    public func run() async {
        let informers = state.withLock { state in
            state.running = true
            return Array(state.informers.values)
        }
        await withDiscardingTaskGroup { group in
            for informer in informers { group.addTask { await informer.run() } }
        }
    }

    private static func indexes(of type: ResourceType) -> [String: Informer.IndexFunction] {
        var indexes: [String: Informer.IndexFunction] = [
            byController: { object in object.controller.map { [$0.uid] } ?? [] },
            unmanaged: { object in object.controller == nil ? [object.namespace] : [] },
        ]
        if type == .pods { indexes[byNode] = { [$0.spec["nodeName"].string ?? ""] } }
        return indexes
    }
}
