/// The namespace and name that identify an object among those of its type. The namespace of a cluster-scoped one is "".
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let namespace: String
    public let name: String

    public init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// A Kubernetes object: JSON with names for the fields that every object has.
///
/// Typed views of single kinds are extensions and wrappers over this; the JSON is always the whole truth, so a field
/// that no view knows is kept.
public struct Object: Sendable, Hashable {
    public var json: JSON

    @inlinable public init(_ json: JSON) { self.json = json }

    /// A new object of `type` with no more than its type and its key.
    public init(_ type: ResourceType, namespace: String? = nil, name: String) {
        json = [
            "apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": ["name": .string(name)],
        ]
        if type.namespaced, let namespace { json["metadata"]["namespace"] = .string(namespace) }
    }

    @inlinable public subscript(field: String) -> JSON {
        get { json[field] }
        _modify { yield &json[field] }
    }

    @inlinable public var apiVersion: String { json["apiVersion"].string ?? "" }
    @inlinable public var kind: String { json["kind"].string ?? "" }

    @inlinable public var metadata: JSON {
        get { json["metadata"] }
        _modify { yield &json["metadata"] }
    }
    @inlinable public var spec: JSON {
        get { json["spec"] }
        _modify { yield &json["spec"] }
    }
    @inlinable public var status: JSON {
        get { json["status"] }
        _modify { yield &json["status"] }
    }

    @inlinable public var name: String { metadata["name"].string ?? "" }
    @inlinable public var namespace: String { metadata["namespace"].string ?? "" }
    public var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }
    public var uid: String { metadata["uid"].string ?? "" }
    public var resourceVersion: String { metadata["resourceVersion"].string ?? "" }
    public var generation: Int { metadata["generation"].int ?? 0 }
    public var labels: [String: String] { metadata["labels"].stringMap }
    public var annotations: [String: String] { metadata["annotations"].stringMap }
    public var finalizers: [String] { metadata["finalizers"].strings }
    public var creationTimestamp: Timestamp? { metadata["creationTimestamp"].string.flatMap(Timestamp.init) }
    public var deletionTimestamp: Timestamp? { metadata["deletionTimestamp"].string.flatMap(Timestamp.init) }
    public var isBeingDeleted: Bool { !metadata["deletionTimestamp"].isNull }

    /// Sets all annotations; none leave no field.
    package mutating func setAnnotations(_ annotations: [String: String]) {
        metadata["annotations"] = annotations.isEmpty ? .null : JSON(annotations)
    }

    package mutating func setAnnotation(_ key: String, _ value: String) {
        metadata["annotations"][key] = .string(value)
    }

    public var ownerReferences: [OwnerReference] { metadata["ownerReferences"].items.map(OwnerReference.init) }
    /// The owner that manages this object, of which there is at most one.
    public var controller: OwnerReference? { ownerReferences.first(where: \.isController) }
}

/// One of `metadata.ownerReferences`.
public struct OwnerReference: Sendable, Hashable {
    public var json: JSON

    public init(_ json: JSON) { self.json = json }

    /// The reference by which `owner` manages what it creates.
    public init(controller owner: Object) {
        json = [
            "apiVersion": .string(owner.apiVersion), "kind": .string(owner.kind), "name": .string(owner.name),
            "uid": .string(owner.uid), "controller": true, "blockOwnerDeletion": true,
        ]
    }

    public var apiVersion: String { json["apiVersion"].string ?? "" }
    public var kind: String { json["kind"].string ?? "" }
    public var name: String { json["name"].string ?? "" }
    public var uid: String { json["uid"].string ?? "" }
    public var isController: Bool { json["controller"].bool ?? false }
    public var blocksOwnerDeletion: Bool { json["blockOwnerDeletion"].bool ?? false }
}

/// What a list request returns: objects, and the revision at which they were all current.
public struct ObjectList: Sendable {
    public var items: [Object]
    public var resourceVersion: String
    /// The token for the next page, nil on the last one.
    public var continueToken: String?

    public init(items: [Object], resourceVersion: String, continueToken: String? = nil) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
    }
}
