import KubernetesModel
import Synchronization

@testable import APIClient

/// One type's objects, with watches; enough of the API for what is tested here.
final class FakeClient: Client {
    struct State: Sendable {
        var objects: [ObjectKey: Object] = [:]
        var revision = 1
        var history: [WatchEvent] = []
        var watchers: [AsyncThrowingStream<WatchEvent, any Error>.Continuation] = []
        var lists = 0
        var failures = 0
    }
    let state = Mutex(State())

    func put(_ name: String, _ labels: [String: String] = [:]) {
        state.withLock { state in
            state.revision += 1
            var object = Object(.pods, namespace: "default", name: name)
            object.metadata["labels"] = JSON(labels)
            object.metadata["uid"] = .string(name)
            object.metadata["resourceVersion"] = .string(String(state.revision))
            let isNew = state.objects.updateValue(object, forKey: object.key) == nil
            for watcher in state.watchers { watcher.yield(isNew ? .added(object) : .modified(object)) }
        }
    }

    func remove(_ name: String, silently: Bool = false) {
        state.withLock { state in
            state.revision += 1
            guard var object = state.objects.removeValue(forKey: ObjectKey(namespace: "default", name: name)) else {
                return
            }
            object.metadata["resourceVersion"] = .string(String(state.revision))
            if silently { return }
            for watcher in state.watchers { watcher.yield(.deleted(object)) }
        }
    }

    func endWatches(_ error: (any Error)?) {
        let watchers = state.withLock { state in
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.finish(throwing: error) }
    }

    func get(_ type: ResourceType, namespace: String?, name: String) async throws -> Object {
        let key = ObjectKey(namespace: namespace ?? "", name: name)
        guard let object = state.withLock({ $0.objects[key] }) else { throw Status.notFound(type, name) }
        return object
    }

    func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList {
        try state.withLock { state in
            state.lists += 1
            if state.failures > 0 {
                state.failures -= 1
                throw Status.serviceUnavailable("not yet")
            }
            return ObjectList(items: Array(state.objects.values), resourceVersion: String(state.revision))
        }
    }

    func watch(
        _ type: ResourceType, namespace: String?, options: ListOptions
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        AsyncThrowingStream { continuation in state.withLock { $0.watchers.append(continuation) } }
    }

    func create(
        _ type: ResourceType, _ object: Object, namespace: String?, subresource: SubresourcePath?
    ) async throws -> Object {
        state.withLock { $0.objects[object.key] = object }
        return object
    }

    func update(_ type: ResourceType, _ object: Object, subresource: String?) async throws -> Object { object }

    func patch(
        _ type: ResourceType, namespace: String?, name: String, subresource: String?, _ patch: Patch
    ) async throws -> Object {
        try state.withLock { state in
            let key = ObjectKey(namespace: namespace ?? "", name: name)
            guard var object = state.objects[key] else { throw Status.notFound(type, name) }
            guard case .merge(let changes) = patch else { return object }
            for (field, value) in changes.object ?? [:] { object[field] = value }
            state.objects[key] = object
            return object
        }
    }

    func delete(_ type: ResourceType, namespace: String?, name: String, options: DeleteOptions) async throws {}
}
