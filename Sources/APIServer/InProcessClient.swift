import APIClient
import KubernetesModel
import Store

/// The API for the components in the server's own process: the same pipeline, without HTTP and without encoding.
struct InProcessClient: Client {
    let objects: Objects
    let subresources: Subresources
    let user: User

    private func request(
        _ type: ResourceType, _ namespace: String?, _ name: String? = nil
    ) throws(Status) -> ResourceRequest {
        guard let kind = objects.catalogue.kind(type) else { throw .pathNotFound() }
        return ResourceRequest(kind, namespace: type.namespaced ? namespace : nil, name: name)
    }

    private func request(
        _ type: ResourceType, _ namespace: String?, _ name: String, _ subresource: String
    ) throws(Status) -> SubresourceRequest {
        guard let kind = objects.catalogue.kind(type) else { throw .pathNotFound() }
        let resource = ResourceRequest(
            kind, namespace: type.namespaced ? namespace : nil, name: name, subresource: subresource)
        return SubresourceRequest(resource: resource, name: name, context: context)
    }

    /// What a request on a subresource returns: an action without an object of its own, what was sent.
    private func object(_ result: SubresourceResult, sent: Object, _ type: ResourceType) -> Object {
        switch result {
        case .whole(let written): objects.converted(written.object, to: type)
        case .object(let object, _): object
        case .success: sent
        }
    }

    private var context: RequestContext { RequestContext(user: user) }

    func get(_ type: ResourceType, namespace: String?, name: String) async throws -> Object {
        objects.converted(try objects.stored(type, namespace: namespace, name: name).object, to: type)
    }

    func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList {
        let request = try request(type, namespace)
        let selection = try Selection(
            labels: options.labelSelector, fields: options.fieldSelector, request.resource)
        let page = try objects.list(request, selection, options)
        return ObjectList(
            items: page.items.map { objects.converted($0.object, to: type) },
            resourceVersion: String(page.revision), continueToken: page.continueToken)
    }

    func watch(
        _ type: ResourceType, namespace: String?, options: ListOptions
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let request = try request(type, namespace)
                    let watch = WatchRequest(
                        resource: request,
                        selection: try Selection(
                            labels: options.labelSelector, fields: options.fieldSelector, request.resource),
                        resourceVersion: options.resourceVersion, bookmarks: options.allowBookmarks,
                        timeout: options.timeoutSeconds.map { .seconds($0) } ?? .seconds(7 * 24 * 3600))
                    try await objects.watch(watch) { notices in
                        for notice in notices { try Self.send(notice, type, objects, continuation) }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private static func send(
        _ notice: WatchNotice, _ type: ResourceType, _ objects: Objects,
        _ continuation: AsyncThrowingStream<WatchEvent, any Error>.Continuation
    ) throws(Status) {
        switch notice {
        case .added(let stored): continuation.yield(.added(objects.converted(stored.object, to: type)))
        case .modified(let stored): continuation.yield(.modified(objects.converted(stored.object, to: type)))
        case .deleted(let stored): continuation.yield(.deleted(objects.converted(stored.object, to: type)))
        case .left(let object): continuation.yield(.deleted(objects.converted(object, to: type)))
        case .bookmark(let revision, _): continuation.yield(.bookmark(resourceVersion: String(revision)))
        case .failed(let status): throw status
        }
    }

    func create(
        _ type: ResourceType, _ object: Object, namespace: String?, subresource: SubresourcePath?
    ) async throws -> Object {
        guard let subresource else {
            let namespace = namespace ?? (object.namespace.isEmpty ? nil : object.namespace)
            let written = try await objects.create(try request(type, namespace), object, context)
            return objects.converted(written.object, to: type)
        }
        let request = try request(type, namespace, subresource.owner, subresource.name)
        return self.object(try await subresources.create(object, request), sent: object, type)
    }

    func update(_ type: ResourceType, _ object: Object, subresource: String?) async throws -> Object {
        guard let subresource else {
            let written = try await objects.update(
                try request(type, object.namespace, object.name), name: object.name, part: .main, context
            ) { _ in object }
            return objects.converted(written.object, to: type)
        }
        let request = try request(type, object.namespace, object.name, subresource)
        return self.object(try await subresources.update(.replace(object), request), sent: object, type)
    }

    func patch(
        _ type: ResourceType, namespace: String?, name: String, subresource: String?, _ patch: Patch
    ) async throws -> Object {
        guard let subresource else {
            let request = try request(type, namespace, name)
            let written = try await objects.update(request, name: name, part: .main, context) {
                current throws(Status) in
                try patch.applied(to: current, request.resource)
            }
            return objects.converted(written.object, to: type)
        }
        let request = try request(type, namespace, name, subresource)
        return object(try await subresources.update(.patch(patch), request), sent: Object(.null), type)
    }

    func delete(_ type: ResourceType, namespace: String?, name: String, options: DeleteOptions) async throws {
        _ = try await objects.delete(try request(type, namespace, name), name: name, options, context)
    }
}
