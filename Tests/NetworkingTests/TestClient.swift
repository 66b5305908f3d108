import APIClient
import KubernetesModel
import Synchronization

/// The objects of a cluster, for informers: lists and watches only.
final class TestClient: Client {
    private struct State {
        var revision = 1
        var objects: [ResourceType: [ObjectKey: Object]] = [:]
        var watchers: [ResourceType: [AsyncThrowingStream<WatchEvent, any Error>.Continuation]] = [:]
    }

    private let state = Mutex(State())

    struct NotSupported: Error {}

    /// Adds or replaces an object.
    func put(_ type: ResourceType, _ object: Object) {
        state.withLock { state in
            state.revision += 1
            var object = object
            object.metadata["resourceVersion"] = .string(String(state.revision))
            object.metadata["uid"] = .string(object.key.description)
            let old = state.objects[type, default: [:]].updateValue(object, forKey: object.key)
            for watcher in state.watchers[type] ?? [] { watcher.yield(old == nil ? .added(object) : .modified(object)) }
        }
    }

    func remove(_ type: ResourceType, _ key: ObjectKey) {
        state.withLock { state in
            guard var object = state.objects[type]?.removeValue(forKey: key) else { return }
            state.revision += 1
            object.metadata["resourceVersion"] = .string(String(state.revision))
            for watcher in state.watchers[type] ?? [] { watcher.yield(.deleted(object)) }
        }
    }

    func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList {
        state.withLock {
            ObjectList(items: Array($0.objects[type, default: [:]].values), resourceVersion: String($0.revision))
        }
    }

    func watch(
        _ type: ResourceType, namespace: String?, options: ListOptions
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        let since = options.resourceVersion.flatMap { Int($0) } ?? 0
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: WatchEvent.self)
        state.withLock { state in
            for object in state.objects[type, default: [:]].values where (Int(object.resourceVersion) ?? 0) > since {
                continuation.yield(.added(object))
            }
            state.watchers[type, default: []].append(continuation)
        }
        return stream
    }

    func get(_ type: ResourceType, namespace: String?, name: String) async throws -> Object { throw NotSupported() }
    func create(
        _ type: ResourceType, _ object: Object, namespace: String?, subresource: SubresourcePath?
    ) async throws -> Object { throw NotSupported() }
    func update(_ type: ResourceType, _ object: Object, subresource: String?) async throws -> Object {
        throw NotSupported()
    }
    func patch(
        _ type: ResourceType, namespace: String?, name: String, subresource: String?, _ patch: Patch
    ) async throws -> Object { throw NotSupported() }
    func delete(_ type: ResourceType, namespace: String?, name: String, options: DeleteOptions) async throws {
        throw NotSupported()
    }
}

/// A Service `default/<name>` with one port.
func makeService(
    _ name: String, clusterIP: String, port: Int = 80, transport: String = "TCP", _ more: [String: JSON] = [:]
) -> Object {
    var service = Object(.services, namespace: "default", name: name)
    service.spec = ["clusterIP": .string(clusterIP), "type": "ClusterIP"]
    service.spec["ports"] = [["name": "main", "port": JSON(port), "protocol": .string(transport)]]
    for (field, value) in more { service.spec[field] = value }
    return service
}

enum EndpointState { case ready, notReady, ending }

/// The EndpointSlice of `default/<name>`, with port 8080 on each address; the third number of an address is its node.
func makeSlice(
    _ name: String, _ addresses: [String: EndpointState], port: Int = 8080, transport: String = "TCP"
) -> Object {
    var slice = Object(.endpointSlices, namespace: "default", name: "\(name)-1")
    slice.metadata["labels"] = [EndpointSlice.serviceNameLabel: .string(name)]
    slice["addressType"] = "IPv4"
    slice["ports"] = [["name": "main", "port": JSON(port), "protocol": .string(transport)]]
    slice["endpoints"] = .array(
        addresses.sorted { $0.key < $1.key }.map { address, state in
            [
                "addresses": [.string(address)], "nodeName": .string("node-\(address.split(separator: ".")[2])"),
                "conditions": [
                    "ready": JSON(state == .ready), "serving": JSON(state != .notReady),
                    "terminating": JSON(state == .ending),
                ],
            ]
        })
    return slice
}
