import APIClient
import KubernetesModel
import Store

/// The API for the components in the server's own process: the same `Objects`, without HTTP and without encoding.
struct InProcessClient: Client {
    let objects: Objects
    let subresources: Subresources
    let user: User

    private func request(_ type: ResourceType, _ namespace: String?, _ name: String? = nil) throws(Status)
        -> ResourceRequest
    {
        guard let kind = objects.catalogue.kind(type) else { throw .pathNotFound() }
        return ResourceRequest(kind, namespace: type.namespaced ? namespace : nil, name: name)
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
                        for notice in notices { try Self.tell(notice, type, objects, continuation) }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private static func tell(
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
        _ type: ResourceType, _ object: Object, namespace: String?, subresource: Subresource?
    ) async throws -> Object {
        guard let subresource else {
            let namespace = namespace ?? (object.namespace.isEmpty ? nil : object.namespace)
            let written = try await objects.create(try request(type, namespace), object, context)
            return objects.converted(written.object, to: type)
        }
        let request = try request(type, namespace, subresource.owner)
        switch subresource.name {
        case "binding": try await Binding(objects: objects).bind(object, request, subresource.owner, context)
        case "eviction": try await Eviction(objects: objects).evict(object, request, subresource.owner, context)
        case "token":
            return try TokenRequests(objects: objects, tokens: subresources.tokens)
                .answer(object, request, subresource.owner)
        default: throw Status.pathNotFound()
        }
        return object
    }

    func update(_ type: ResourceType, _ object: Object, subresource: String?) async throws -> Object {
        let request = try request(type, object.namespace, object.name)
        let written: Written
        switch subresource {
        case nil: written = try await objects.update(request, name: object.name, part: .main, context) { _ in object }
        case "scale":
            return try await Scale(objects: objects).set(request, object.name, context) { _ in object }
        case .some(let part):
            written = try await objects.updatePart(part, request, name: object.name, object, context)
        }
        return objects.converted(written.object, to: type)
    }

    func patch(
        _ type: ResourceType, namespace: String?, name: String, subresource: String?, _ patch: Patch
    ) async throws -> Object {
        let request = try request(type, namespace, name)
        if subresource == "scale" {
            return try await Scale(objects: objects).set(request, name, context) { current throws(Status) in
                try PatchRequests.applySchemaless(patch, to: current)
            }
        }
        let part = Objects.Part(subresource: subresource)
        let written = try await objects.update(request, name: name, part: part, context) { current throws(Status) in
            try PatchRequests.apply(patch, to: current, request.resource)
        }
        return objects.converted(written.object, to: type)
    }

    func delete(_ type: ResourceType, namespace: String?, name: String, options: DeleteOptions) async throws {
        _ = try await objects.delete(try request(type, namespace, name), name: name, options, context)
    }
}
