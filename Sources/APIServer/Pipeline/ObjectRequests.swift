import APIClient
import APIMachinery
import HTTPTypes
import KubernetesModel
import Store

/// Requests on whole objects and collections: each verb, from decoding to encoding.
struct ObjectRequests: Sendable {
    let objects: Objects

    func respond(
        to request: APIRequest, _ resource: ResourceRequest, _ verb: Verb, _ context: RequestContext
    ) async throws(Status) -> APIResponse {
        let encoding = try Encoding(accept: request.header(.accept))
        let info = resource.resource
        switch verb {
        case .get:
            try await objects.wait(for: request.query["resourceVersion"])
            let stored = try objects.stored(info.type, namespace: resource.namespace, name: resource.name ?? "")
            return encoding.response(stored, info)
        case .list:
            if request.query["continue"] == nil, request.query["resourceVersionMatch"] != "Exact" {
                try await objects.wait(for: request.query["resourceVersion"])
            }
            // A long list, above all as a table, would block the event loop.
            return try await withTaskExecutorPreference(globalConcurrentExecutor) { () throws(Status) in
                try list(request, resource, encoding)
            }
        case .watch:
            return try WatchResponse(objects: objects, encoding: encoding).respond(to: request, resource, context)
        case .create:
            guard resource.name == nil else { throw .methodNotSupported(info.type, "create") }
            var context = context
            let object = try Decoding.object(request, &context)
            let written = try await objects.create(resource, object, context)
            return encoding.response(written, info, code: 201)
        case .update:
            var context = context
            let object = try Decoding.object(request, &context)
            let written = try await objects.update(
                resource, name: resource.name ?? "", part: .main, context
            ) { _ in object }
            return encoding.response(written, info)
        case .patch:
            return try await patch(request, resource, encoding, context)
        case .delete:
            return try await delete(request, resource, encoding, context)
        case .deletecollection:
            return try await deleteCollection(request, resource, encoding, context)
        }
    }

    private func patch(
        _ request: APIRequest, _ resource: ResourceRequest, _ encoding: Encoding, _ context: RequestContext
    ) async throws(Status) -> APIResponse {
        let patch = try Decoding.patch(request)
        let written = try await objects.update(
            resource, name: resource.name ?? "", part: .main, context
        ) { object throws(Status) in
            try patch.applied(to: object, resource.resource)
        }
        return encoding.response(written, resource.resource, code: written.created ? 201 : 200)
    }

    private func list(
        _ request: APIRequest, _ resource: ResourceRequest, _ encoding: Encoding
    ) throws(Status) -> APIResponse {
        let query = request.query
        try RequestOptions.checkList(query, isWatch: false)
        let selection = try Selection(
            labels: query["labelSelector"], fields: query["fieldSelector"], resource.resource)
        let options = ListOptions(
            resourceVersion: query["resourceVersion"], limit: try query.int("limit"), continueToken: query["continue"])
        let page = try objects.list(
            resource, selection, options, exact: query["resourceVersionMatch"] == "Exact")
        return encoding.response(page, resource.resource, include: try Self.include(query))
    }

    static func include(_ query: Query) throws(Status) -> Table.IncludeObject {
        guard let text = query["includeObject"] else { return .metadata }
        guard let include = Table.IncludeObject(rawValue: text) else {
            throw .badRequest("invalid includeObject value: \"\(text)\"")
        }
        return include
    }

    private func delete(
        _ request: APIRequest, _ resource: ResourceRequest, _ encoding: Encoding, _ context: RequestContext
    ) async throws(Status) -> APIResponse {
        let deletion = try await objects.delete(
            resource, name: resource.name ?? "", try RequestOptions.deletion(request), context)
        let info = resource.resource
        switch deletion {
        case .began(let written):
            return encoding.response(written, info)
        case .removed(let object):
            if info.strategy.returnsDeletedObject {
                return encoding.response(encoding.json(object, info))
            }
            var details: JSON = [
                "name": .string(object.name), "kind": .string(info.type.plural), "uid": .string(object.uid),
            ]
            if !info.type.group.isEmpty { details["group"] = .string(info.type.group) }
            return encoding.response([
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details,
            ])
        }
    }

    private func deleteCollection(
        _ request: APIRequest, _ resource: ResourceRequest, _ encoding: Encoding, _ context: RequestContext
    ) async throws(Status) -> APIResponse {
        let query = request.query
        let selection = try Selection(labels: query["labelSelector"], fields: query["fieldSelector"], resource.resource)
        let options = try RequestOptions.deletion(request)
        let page = try await withTaskExecutorPreference(globalConcurrentExecutor) { () throws(Status) in
            try objects.list(resource, selection, ListOptions())
        }
        for item in page.items {
            let object = item.object
            let one = ResourceRequest(
                resource.resource, namespace: resource.type.namespaced ? object.namespace : nil, name: object.name)
            do {
                _ = try await objects.delete(one, name: object.name, options, context)
            } catch  where error.isNotFound {
                continue
            }
        }
        return encoding.response(page, resource.resource, include: try Self.include(query))
    }
}
