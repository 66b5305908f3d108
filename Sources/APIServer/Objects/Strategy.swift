import KubernetesModel

/// What is special about one kind, beyond its schema: the places where Kubernetes' own registries have code.
///
/// Every method has a default that does nothing. Those that prepare are given objects with their defaults set.
protocol Strategy: Sendable {
    /// Sets what the server decides when an object is made.
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status)
    func validateCreate(_ object: Object) -> [FieldError]
    /// Sets what the server decides when an object's main part is changed.
    func prepareForUpdate(_ object: inout Object, old: Object, _ context: RequestContext) async throws(Status)
    func validateUpdate(_ object: Object, old: Object) -> [FieldError]
    /// Called when it is certain what has become of an object that was prepared: what it holds besides its place in
    /// the store is from now on what `kept` holds, which is nil where the object does not exist.
    func settle(_ key: ObjectKey, as kept: Object?) async
    /// How long the object is given to end; nil where it is removed at once.
    func gracePeriod(of object: Object, requested: Int?) -> Int?
    /// Whether something besides finalizers keeps an object that is being deleted.
    func keeps(_ object: Object) -> Bool
    /// Sets what else a beginning deletion changes.
    func prepareForDelete(_ object: inout Object)
    /// Whether a deletion is answered with the object.
    var returnsDeletedObject: Bool { get }
    /// Whether `metadata.generation` counts the changes of what is wanted.
    var countsGenerations: Bool { get }
}

extension Strategy {
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {}
    func validateCreate(_ object: Object) -> [FieldError] { [] }
    func prepareForUpdate(_ object: inout Object, old: Object, _ context: RequestContext) async throws(Status) {}
    func validateUpdate(_ object: Object, old: Object) -> [FieldError] { [] }
    func settle(_ key: ObjectKey, as kept: Object?) async {}
    func gracePeriod(of object: Object, requested: Int?) -> Int? { nil }
    func keeps(_ object: Object) -> Bool { false }
    func prepareForDelete(_ object: inout Object) {}
    var returnsDeletedObject: Bool { false }
    var countsGenerations: Bool { false }
}

/// The strategy of kinds that have nothing special.
struct PlainStrategy: Strategy {
    var countsGenerations = false
    var returnsDeletedObject = false
}
