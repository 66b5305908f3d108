/// InMemoryClient: an API server's storage rules without a server, for tests of what talks to one.
///
/// Revisions, conflicts, generations, finalizers and watches are as the API has them; there is no schema, no defaulting
/// and no validation.

import APIClient
import KubernetesModel
import Synchronization

public final class InMemoryClient: Client {
    private struct State: Sendable {
        var objects: [ResourceType: [ObjectKey: Object]] = [:]
        var revision = 0
        var log: [(ResourceType, Int, WatchEvent)] = []
        var watchers: [Int: (ResourceType, AsyncThrowingStream<WatchEvent, any Error>.Continuation)] = [:]
        var nextWatcher = 0
        var writes: [String: Int] = [:]
        var failure: (@Sendable (String, ResourceType, Object) -> Status?)?

        mutating func put(_ type: ResourceType, _ object: Object) -> Object {
            revision += 1
            var object = object
            object.metadata["resourceVersion"] = .string(String(revision))
            let isNew = objects[type]?[object.key] == nil
            objects[type, default: [:]][object.key] = object
            tell(type, isNew ? .added(object) : .modified(object))
            return object
        }

        mutating func remove(_ type: ResourceType, _ object: Object) {
            revision += 1
            var object = object
            object.metadata["resourceVersion"] = .string(String(revision))
            objects[type]?[object.key] = nil
            tell(type, .deleted(object))
        }

        /// Stores a changed object, or removes it where its last finalizer went.
        mutating func settle(_ type: ResourceType, _ object: Object) -> Object {
            if object.isBeingDeleted, object.finalizers.isEmpty, object.spec["finalizers"].items.isEmpty {
                remove(type, object)
                return object
            }
            return put(type, object)
        }

        private mutating func tell(_ type: ResourceType, _ event: WatchEvent) {
            log.append((type, revision, event))
            for (watched, continuation) in watchers.values where watched == type { continuation.yield(event) }
        }
    }

    private let state = Mutex(State())
    private let nodesConfirmDeletion: Bool

    /// - Parameter nodesConfirmDeletion: a bound pod that is deleted stays until it is deleted with a grace period of 0,
    ///   as with an API server; otherwise it goes at once.
    public init(nodesConfirmDeletion: Bool = false) { self.nodesConfirmDeletion = nodesConfirmDeletion }

    /// Has requests fail for which `failure` returns something; it is given the verb, the type and the object.
    public func fail(_ failure: (@Sendable (String, ResourceType, Object) -> Status?)?) {
        state.withLock { $0.failure = failure }
    }

    /// Writes since the start, by `verb plural`: `create pods`, `update deployments/status`; those that
    /// were made to fail by `refused verb plural`.
    public var writes: [String: Int] { state.withLock { $0.writes } }

    public func all(_ type: ResourceType, namespace: String? = nil) -> [Object] {
        state.withLock { state in
            (state.objects[type] ?? [:]).values.filter { namespace == nil || $0.namespace == namespace }
                .sorted { $0.key < $1.key }
        }
    }

    public func object(_ type: ResourceType, _ name: String, namespace: String = "default") -> Object? {
        let key = ObjectKey(namespace: type.namespaced ? namespace : "", name: name)
        return state.withLock { $0.objects[type]?[key] }
    }

    public func get(_ type: ResourceType, namespace: String?, name: String) async throws -> Object {
        let key = ObjectKey(namespace: namespace ?? "", name: name)
        guard let object = state.withLock({ $0.objects[type]?[key] }) else { throw Status.notFound(type, name) }
        return object
    }

    public func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList {
        state.withLock { state in
            let items = (state.objects[type] ?? [:]).values.filter { namespace == nil || $0.namespace == namespace }
            return ObjectList(items: items.sorted { $0.key < $1.key }, resourceVersion: String(state.revision))
        }
    }

    public func watch(
        _ type: ResourceType, namespace: String?, options: ListOptions
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: WatchEvent.self)
        let start = options.resourceVersion.flatMap { Int($0) } ?? 0
        state.withLock { state in
            for (logged, revision, event) in state.log where logged == type && revision > start {
                continuation.yield(event)
            }
            let id = state.nextWatcher
            state.nextWatcher += 1
            state.watchers[id] = (type, continuation)
            continuation.onTermination = { [self] _ in
                // Outside the lock that a failing `yield` may be called under.
                Task { self.state.withLock { $0.watchers[id] = nil } }
            }
        }
        return stream
    }

    @discardableResult
    public func create(
        _ type: ResourceType, _ object: Object, namespace: String?, subresource: SubresourcePath?
    ) async throws -> Object {
        try state.withLock { state in
            try begin("create", type, object, subresource?.name, &state)
            if let subresource { return try bind(type, object, namespace ?? "", subresource, &state) }
            var object = object
            if type.namespaced, let namespace { object.metadata["namespace"] = .string(namespace) }
            if object.name.isEmpty, let prefix = object.metadata["generateName"].string {
                object.metadata["name"] = .string("\(prefix)\(state.revision + 10000)")
            }
            guard state.objects[type]?[object.key] == nil else { throw Status.alreadyExists(type, object.name) }
            object["apiVersion"] = .string(type.apiVersion)
            object["kind"] = .string(type.kind)
            object.metadata["uid"] = .string("uid-\(state.revision + 1)")
            object.metadata["creationTimestamp"] = .string(Timestamp.now.description)
            object.metadata["generation"] = 1
            if type == .namespaces, object.spec["finalizers"].isNull { object.spec["finalizers"] = ["kubernetes"] }
            return state.put(type, object)
        }
    }

    private func bind(
        _ type: ResourceType, _ binding: Object, _ namespace: String, _ subresource: SubresourcePath,
        _ state: inout State
    ) throws -> Object {
        guard subresource.name == "binding" else { throw Status.pathNotFound() }
        let key = ObjectKey(namespace: namespace, name: subresource.owner)
        guard var pod = state.objects[type]?[key] else { throw Status.notFound(type, key.name) }
        guard pod.spec["nodeName"].isNull else { throw Status.conflict(type, key.name, "pod is already assigned") }
        pod.spec["nodeName"] = binding["target"]["name"]
        pod.setCondition(Condition("PodScheduled", true))
        return state.put(type, pod)
    }

    @discardableResult
    public func update(_ type: ResourceType, _ object: Object, subresource: String?) async throws -> Object {
        try state.withLock { state in
            try begin("update", type, object, subresource, &state)
            guard let present = state.objects[type]?[object.key] else { throw Status.notFound(type, object.name) }
            guard object.resourceVersion.isEmpty || object.resourceVersion == present.resourceVersion else {
                throw Status.conflict(type, object.name)
            }
            return change(type, present, to: object, subresource, &state)
        }
    }

    @discardableResult
    public func patch(
        _ type: ResourceType, namespace: String?, name: String, subresource: String?, _ patch: Patch
    ) async throws -> Object {
        try state.withLock { state in
            let key = ObjectKey(namespace: namespace ?? "", name: name)
            guard let present = state.objects[type]?[key] else { throw Status.notFound(type, name) }
            try begin("patch", type, present, subresource, &state)
            var patched = present
            switch patch {
            // Without a schema lists are replaced, also where a strategic merge would merge them.
            case .merge(let json), .strategicMerge(let json): Self.merge(json, into: &patched.json)
            case .json, .apply: throw Status.unsupportedMediaType("merge patches only")
            }
            guard patched.uid == present.uid, patched.resourceVersion == present.resourceVersion else {
                throw Status.conflict(type, name)
            }
            return change(type, present, to: patched, subresource, &state)
        }
    }

    private func change(
        _ type: ResourceType, _ present: Object, to object: Object, _ subresource: String?, _ state: inout State
    ) -> Object {
        var object = object
        if subresource == "status" {
            let status = object.status
            object = present
            object.status = status
        } else if subresource == nil {
            object.status = present.status
        }
        for field in ["uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp"] {
            object.metadata[field] = present.metadata[field]
        }
        if object.spec != present.spec { object.metadata["generation"] = JSON(present.generation + 1) }
        return object == present ? present : state.settle(type, object)
    }

    public func delete(_ type: ResourceType, namespace: String?, name: String, options: DeleteOptions) async throws {
        try state.withLock { state in
            let key = ObjectKey(namespace: namespace ?? "", name: name)
            guard var object = state.objects[type]?[key] else { throw Status.notFound(type, name) }
            try begin("delete", type, object, nil, &state)
            if let uid = options.uid, uid != object.uid { throw Status.conflict(type, name) }
            var finalizers = object.finalizers
            switch options.propagation {
            case .foreground where !finalizers.contains("foregroundDeletion"): finalizers.append("foregroundDeletion")
            case .orphan where !finalizers.contains("orphan"): finalizers.append("orphan")
            default: break
            }
            object.metadata["finalizers"] = finalizers.isEmpty ? .null : JSON(finalizers)
            if !object.isBeingDeleted {
                object.metadata["deletionTimestamp"] = .string(Timestamp.now.description)
            }
            if nodesConfirmDeletion, type == .pods, !object.spec["nodeName"].isNull, options.gracePeriodSeconds != 0 {
                object.metadata["deletionGracePeriodSeconds"] = JSON(
                    options.gracePeriodSeconds ?? object.spec["terminationGracePeriodSeconds"].int ?? 30)
                _ = state.put(type, object)
                return
            }
            if state.objects[type]?[key] != object { _ = state.settle(type, object) }
        }
    }

    private func begin(
        _ verb: String, _ type: ResourceType, _ object: Object, _ subresource: String?, _ state: inout State
    ) throws {
        if let status = state.failure?(verb, type, object) {
            state.writes["refused \(verb) \(type.plural)", default: 0] += 1
            throw status
        }
        state.writes["\(verb) \(type.plural)\(subresource.map { "/\($0)" } ?? "")", default: 0] += 1
    }

    private static func merge(_ patch: JSON, into target: inout JSON) {
        guard case .object(let members) = patch else {
            target = patch
            return
        }
        for (key, value) in members {
            if value.isNull { target[key] = .null } else { merge(value, into: &target[key]) }
        }
    }
}
