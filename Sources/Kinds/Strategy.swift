import KubernetesModel

/// What the API server decides when a kind's objects are written and deleted, where no schema can say it: the places
/// where Kubernetes' own registries have code.
///
/// Each rule is a function of objects, which have their defaults. What needs the store or an allocator is the API
/// server's own.
public struct Strategy: Sendable {
    /// Sets what the server decides when an object is created.
    public let prepareForCreate: @Sendable (inout Object) -> Void
    /// Sets what the server decides when an object's main part is updated.
    public let prepareForUpdate: @Sendable (inout Object, _ old: Object) -> Void
    /// Sets what else a beginning deletion changes.
    public let prepareForDelete: @Sendable (inout Object) -> Void
    /// How many seconds an object has to end; nil where it is removed at once.
    public let gracePeriod: @Sendable (Object, _ requested: Int?) -> Int?
    /// Whether something besides finalizers keeps an object that is being deleted.
    public let keeps: @Sendable (Object) -> Bool
    /// Whether a deletion is answered with the object.
    public let returnsDeletedObject: Bool
    /// Whether `metadata.generation` counts the changes of the desired state.
    public let countsGenerations: Bool
    /// The fields of `metadata` that a write through `status` leaves as they are, besides those that no client changes.
    public private(set) var metadataKeptByStatus: Set<String> = []

    package init(
        countsGenerations: Bool = false, returnsDeletedObject: Bool = false,
        prepareForCreate: @escaping @Sendable (inout Object) -> Void = { _ in },
        prepareForUpdate: @escaping @Sendable (inout Object, _ old: Object) -> Void = { _, _ in },
        prepareForDelete: @escaping @Sendable (inout Object) -> Void = { _ in },
        gracePeriod: @escaping @Sendable (Object, _ requested: Int?) -> Int? = { _, _ in nil },
        keeps: @escaping @Sendable (Object) -> Bool = { _ in false }
    ) {
        self.countsGenerations = countsGenerations
        self.returnsDeletedObject = returnsDeletedObject
        self.prepareForCreate = prepareForCreate
        self.prepareForUpdate = prepareForUpdate
        self.prepareForDelete = prepareForDelete
        self.gracePeriod = gracePeriod
        self.keeps = keeps
    }

    /// The same, but that writes through `status` leave these fields of `metadata` as they are.
    func keepingInStatus(_ fields: Set<String>) -> Strategy {
        var strategy = self
        strategy.metadataKeptByStatus = fields
        return strategy
    }

    /// All of `metadata` that clients change.
    static let clientMetadata: Set<String> = ["annotations", "finalizers", "labels", "ownerReferences"]

    /// Kinds whose generations are counted and that begin with an empty status, whatever a client sends.
    static let workload = Strategy(countsGenerations: true, prepareForCreate: { $0.status = [:] })
    static let counting = Strategy(countsGenerations: true)
}
