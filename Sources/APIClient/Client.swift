/// APIClient: how every component talks to the API.
///
/// Requests, watches, informers and work queues over one interface, `Client`, which the control plane implements in
/// process and everything else over HTTPS. It holds no state of the cluster but the caches that informers keep.

import KubernetesModel

/// A client of the API, acting as one user.
///
/// Every method throws `Status` where the server answered with one, and some other error where it was not reached.
public protocol Client: Sendable {
    func get(_ type: ResourceType, namespace: String?, name: String) async throws -> Object
    /// Lists a namespace, or all of them where `namespace` is nil.
    func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList
    /// Events after `options.resourceVersion`, in order. Ends or throws (`Status.isExpired`) when the watch must be
    /// begun anew from a list.
    func watch(
        _ type: ResourceType, namespace: String?, options: ListOptions
    ) -> AsyncThrowingStream<WatchEvent, any Error>
    /// Creates an object, or one of a named object's subresources (`binding`, `eviction`).
    @discardableResult
    func create(_ type: ResourceType, _ object: Object, namespace: String?, subresource: SubresourcePath?) async throws
        -> Object
    /// Replaces an object or its `status` or `scale`. A conflict is thrown where `metadata.resourceVersion` is stale.
    @discardableResult
    func update(_ type: ResourceType, _ object: Object, subresource: String?) async throws -> Object
    @discardableResult
    func patch(
        _ type: ResourceType, namespace: String?, name: String, subresource: String?, _ patch: Patch
    ) async throws -> Object
    func delete(_ type: ResourceType, namespace: String?, name: String, options: DeleteOptions) async throws
}

/// A subresource of a named object.
public struct SubresourcePath: Sendable, Hashable {
    public let owner: String
    public let name: String

    public init(of owner: String, _ name: String) {
        self.owner = owner
        self.name = name
    }
}

public enum Patch: Sendable {
    case json(JSON)
    case merge(JSON)
    case strategicMerge(JSON)
    /// Server-side apply by a named manager.
    case apply(Object, manager: String, force: Bool)
}

public struct ListOptions: Sendable, Hashable {
    public var labelSelector: String?
    public var fieldSelector: String?
    public var resourceVersion: String?
    public var limit: Int?
    public var continueToken: String?
    public var allowBookmarks = false
    public var timeoutSeconds: Int?

    public init(
        labelSelector: String? = nil, fieldSelector: String? = nil, resourceVersion: String? = nil, limit: Int? = nil,
        continueToken: String? = nil, allowBookmarks: Bool = false, timeoutSeconds: Int? = nil
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.resourceVersion = resourceVersion
        self.limit = limit
        self.continueToken = continueToken
        self.allowBookmarks = allowBookmarks
        self.timeoutSeconds = timeoutSeconds
    }
}

public struct DeleteOptions: Sendable, Hashable {
    public enum Propagation: String, Sendable {
        case foreground = "Foreground"
        case background = "Background"
        case orphan = "Orphan"
    }

    public var gracePeriodSeconds: Int?
    public var propagation: Propagation?
    public var uid: String?
    public var resourceVersion: String?
    /// Whether to delete nothing, and only report what would be.
    public var dryRun: Bool

    public init(
        gracePeriodSeconds: Int? = nil, propagation: Propagation? = nil, uid: String? = nil,
        resourceVersion: String? = nil, dryRun: Bool = false
    ) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagation = propagation
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.dryRun = dryRun
    }

    /// The options as a request body (`meta/v1 DeleteOptions`).
    public var json: JSON {
        var json: JSON = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let gracePeriodSeconds { json["gracePeriodSeconds"] = JSON(gracePeriodSeconds) }
        if let propagation { json["propagationPolicy"] = .string(propagation.rawValue) }
        if let uid { json["preconditions"]["uid"] = .string(uid) }
        if let resourceVersion { json["preconditions"]["resourceVersion"] = .string(resourceVersion) }
        if dryRun { json["dryRun"] = ["All"] }
        return json
    }
}

public enum WatchEvent: Sendable {
    case added(Object)
    case modified(Object)
    case deleted(Object)
    /// No object changed; the watch is current up to this revision.
    case bookmark(resourceVersion: String)
}

extension Client {
    public func get(_ type: ResourceType, _ key: ObjectKey) async throws -> Object {
        try await get(type, namespace: type.namespaced ? key.namespace : nil, name: key.name)
    }
    public func list(_ type: ResourceType, namespace: String? = nil) async throws -> ObjectList {
        try await list(type, namespace: namespace, options: ListOptions())
    }
    @discardableResult
    public func create(_ type: ResourceType, _ object: Object) async throws -> Object {
        try await create(type, object, namespace: type.namespaced ? object.namespace : nil, subresource: nil)
    }
    @discardableResult
    public func update(_ type: ResourceType, _ object: Object) async throws -> Object {
        try await update(type, object, subresource: nil)
    }
    @discardableResult
    public func updateStatus(_ type: ResourceType, _ object: Object) async throws -> Object {
        try await update(type, object, subresource: "status")
    }
    public func delete(_ type: ResourceType, _ key: ObjectKey, options: DeleteOptions = DeleteOptions()) async throws {
        try await delete(type, namespace: type.namespaced ? key.namespace : nil, name: key.name, options: options)
    }
}
