import APIMachinery
import KubernetesModel

/// Kinds: every kind of object that the API serves from the start, each a `Kind` with a place of its own.
///
/// A directory has the kinds of an API group. A kind takes a file there, or a directory where its rules fill several;
/// kinds with few rules share a file. `Kinds.swift` lists them all. A custom resource's kind is made from its definition
/// (`CustomResource.swift`).
///
/// A kind's rules are functions of its objects: this target knows of no store, request or process.

/// A kind of object in one version: how it is served, and what is true of its objects.
public final class Kind: Sendable {
    /// What is wrong with a name.
    package typealias NameRule = @Sendable (String) -> [String]
    package typealias Defaults = @Sendable (inout Object) -> Void
    package typealias Check = @Sendable (inout Validation, Object) -> Void
    package typealias UpdateCheck = @Sendable (inout Validation, _ object: Object, _ old: Object) -> Void
    package typealias Conversion = @Sendable (inout Object) -> Void

    /// The catalogue's row: group, version, names, scope, verbs, subresources, schema.
    public let info: ResourceInfo
    /// What the API server decides when objects are written and deleted.
    public let strategy: Strategy
    /// The warning on every request for a kind that is deprecated.
    public let deprecation: String?
    /// The warning on creating an object.
    public let creationWarning: String?
    /// The warning on waiting for one object of a kind that no controller reconciles.
    public let waitingWarning: String?

    private let nameRule: NameRule
    private let defaults: Defaults
    private let check: Check
    private let createCheck: Check
    private let updateCheck: UpdateCheck
    private let subresourceChecks: [String: UpdateCheck]
    private let columns: Table.Columns
    private let selectableFields: SelectableFields
    private let conversion: Conversion

    /// - Parameters:
    ///   - name: what is wrong with a name.
    ///   - defaults: fills in what a request leaves out. Idempotent.
    ///   - validate: what must hold of every object, new or changed.
    ///   - validateCreate: what must hold besides when an object is created.
    ///   - validateUpdate: what an update may not change.
    ///   - validateSubresources: what must hold of an update through a subresource, such as `status`.
    ///   - convert: brings an object of another version of the kind to this one.
    ///   - isReconciled: whether a controller acts on the objects; else their creation is answered with a warning.
    package init(
        _ info: ResourceInfo, name: @escaping NameRule = Names.subdomain, defaults: @escaping Defaults = { _ in },
        validate: @escaping Check = { _, _ in }, validateCreate: @escaping Check = { _, _ in },
        validateUpdate: @escaping UpdateCheck = { _, _, _ in }, validateSubresources: [String: UpdateCheck] = [:],
        columns: Table.Columns = .nameAndAge, strategy: Strategy = Strategy(),
        selectableFields: SelectableFields = [], convert: @escaping Conversion = { _ in }, deprecation: String? = nil,
        isReconciled: Bool = true, creationWarning: String? = nil
    ) {
        self.info = info
        self.strategy = strategy
        self.deprecation = deprecation
        self.creationWarning =
            isReconciled
            ? creationWarning : "this version of Martlet stores \(info.type.groupResource) but does not act on them"
        waitingWarning =
            isReconciled
            ? nil
            : "this version of Martlet does not act on \(info.type.groupResource): "
                + "what is waited for may never come, interrupt it with Ctrl-C"
        self.columns = columns
        self.selectableFields = selectableFields
        nameRule = name
        check = validate
        createCheck = validateCreate
        updateCheck = validateUpdate
        subresourceChecks = validateSubresources
        conversion = convert
        self.defaults = defaults
    }
}

extension Kind {
    public var type: ResourceType { info.type }
    public var schema: Schema { info.schema }
    public var listKind: String { info.listKind }
    public var storedAs: ResourceType { info.storedAs }
    /// Whether objects are stored in this version.
    public var isStorageVersion: Bool { info.storedAs == info.type }
    public func subresource(_ name: String) -> ResourceInfo.Subresource? { info.subresource(name) }
    public func supports(_ verb: String) -> Bool { info.supports(verb) }
}

// MARK: Defaults

extension Kind {
    /// Fills in what Kubernetes fills in where a request leaves it out.
    ///
    /// Idempotent. It does not decide what only the API server knows (names, addresses, uids).
    public func applyDefaults(_ object: inout Object) {
        defaults(&object)
        applyStatusDefaults(&object)
    }

    /// A built-in object that has a status is never without one: its required counters begin at 0, its flags at false.
    public func applyStatusDefaults(_ object: inout Object) {
        guard !info.isCustom, subresource("status") != nil, let status = schema.properties["status"]?.resolved else {
            return
        }
        var filled = object.status.object ?? [:]
        for name in status.required where filled[name] == nil {
            switch status.properties[name]?.type {
            case .integer: filled[name] = 0
            case .boolean: filled[name] = false
            default: break
            }
        }
        object.status = .object(filled)
    }
}

// MARK: Validation

extension Kind {
    /// What is wrong with an object that is to be created, after defaulting. The paths, reasons and texts are those of
    /// Kubernetes.
    public func validateCreate(_ object: Object) -> [FieldError] {
        var validation = Validation()
        validation.metadata(object, type, name: nameRule)
        check(&validation, object)
        createCheck(&validation, object)
        return validation.errors
    }

    /// What is wrong with the new state of an object.
    public func validateUpdate(_ object: Object, old: Object) -> [FieldError] {
        var validation = Validation()
        validation.metadata(object, type, name: nameRule)
        validation.metadataUpdate(object, old: old)
        check(&validation, object)
        updateCheck(&validation, object, old)
        return validation.errors
    }

    /// What is wrong with the new state of an object of which only a subresource changes, such as `status`.
    public func validateUpdate(_ object: Object, old: Object, subresource: String) -> [FieldError] {
        var validation = Validation()
        if object.metadata != old.metadata {
            validation.metadata(object, type, name: nameRule)
            validation.metadataUpdate(object, old: old)
        }
        subresourceChecks[subresource]?(&validation, object, old)
        return validation.errors
    }
}

// MARK: Reading

extension Kind {
    /// The table of `objects`.
    ///
    /// - Parameters:
    ///   - listMetadata: the list's `metadata`.
    ///   - headers: whether the columns are described (in a watch, only the first event does).
    public func table(
        of objects: [Object], listMetadata: JSON = [:], include: Table.IncludeObject = .metadata,
        headers: Bool = true, now: Timestamp = .now
    ) -> JSON {
        Table.of(objects, columns, listMetadata: listMetadata, include: include, headers: headers, now: now)
    }

    /// Why objects cannot be selected by a field; nil where they can.
    public func selectionFault(_ field: String) -> String? {
        if field == "metadata.name" || selectableFields.names.contains(field) { return nil }
        if field == "metadata.namespace", type.namespaced || selectableFields.names.isEmpty { return nil }
        return selectableFields.refusal(field)
    }

    /// The name by which a stored object has a field that this kind's objects are selected by.
    public func storedName(ofField field: String) -> String { selectableFields.storedNames[field] ?? field }

    /// An object of any version of the kind, in this version.
    public func converted(_ object: Object) -> Object {
        var converted = object
        converted["apiVersion"] = .string(type.apiVersion)
        conversion(&converted)
        return converted
    }
}
