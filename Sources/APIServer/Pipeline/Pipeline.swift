import APIClient
import HTTPTypes
import KubernetesModel
import Logging
import NIOCore
import Store

/// The steps of every request: authentication → authorization → priority and fairness → decoding → admission (mutating)
/// → defaults and validation → admission (validating) → store → encoding. Each step has a directory of its own;
/// `Objects` calls those around the store.
struct Pipeline: Sendable {
    let objects: Objects
    let authentication: Authentication
    let authorization: Authorization
    let discovery: Discovery
    let subresources: Subresources
    let virtualResources: [any VirtualResources]
    let logger: Logger

    /// The user of a request, or the one whom that user impersonates.
    func user(headers: HTTPFields, certificate: ClientCertificate?) throws(Status) -> User {
        let user = try authentication.user(headers: headers, certificate: certificate)
        guard let impersonation = try Impersonation(headers) else { return user }
        for subject in impersonation.subjects {
            let type = ResourceType(
                group: subject.group, version: "v1", plural: subject.resource, kind: "",
                namespaced: subject.namespace != nil)
            try authorization.check(
                user,
                .init(
                    verb: Authorization.impersonate,
                    subject: .resource(
                        type, namespace: subject.namespace, name: subject.name, subresource: subject.subresource)))
        }
        return impersonation.user
    }

    func respond(to request: APIRequest) async -> APIResponse {
        do {
            return try await answer(request)
        } catch let status as Status {
            return Encoding.response(status)
        } catch {
            logger.error("a request failed", metadata: ["path": "\(request.target.path)", "error": "\(error)"])
            return Encoding.response(.internalError("\(error)"))
        }
    }

    private func answer(_ request: APIRequest) async throws -> APIResponse {
        guard case .resource(let resource) = try Route(request.target, objects.catalogue) else {
            let path = request.target.path
            try authorization.check(
                request.user, .init(verb: request.method.rawValue.lowercased(), subject: .path(path)))
            var request = request
            try await request.readBody()
            return try await discovery.respond(to: request)
        }
        guard let verb = Verb(request, resource) else {
            throw Status.methodNotSupported(resource.type, request.method.rawValue.lowercased())
        }
        try authorize(request.user, verb, resource)
        var request = request
        // A proxy passes its body on as it comes.
        if resource.subresource != "proxy" { try await request.readBody() }
        var context = RequestContext(user: request.user)
        try RequestOptions.read(request.query, of: verb, into: &context)
        if let text = resource.resource.deprecation { context.warnings.add(text) }
        if verb == .create, let text = resource.resource.creationWarning { context.warnings.add(text) }
        var response = try await answer(request, resource, verb, context)
        for text in context.warnings.headers { response.headers.append((.warning, text)) }
        return response
    }

    private func answer(
        _ request: APIRequest, _ resource: ResourceRequest, _ verb: Verb, _ context: RequestContext
    ) async throws -> APIResponse {
        if resource.subresource != nil {
            guard let name = resource.name else { throw Status.pathNotFound() }
            return try await subresources.respond(
                to: request, SubresourceRequest(resource: resource, name: name, context: context), verb)
        }
        guard resource.resource.supports(verb.rawValue) else {
            throw Status.methodNotSupported(resource.type, verb.rawValue)
        }
        if let virtual = virtualResources.first(where: { $0.contain(resource.type) }) {
            return try await virtual.respond(to: request, resource)
        }
        return try await ObjectRequests(objects: objects).respond(to: request, resource, verb, context)
    }

    /// The upgrade of a request's connection; nil where there is none.
    func upgrade(_ request: APIRequest, to protocolName: String) async throws -> Upgrade? {
        guard case .resource(let resource) = try Route(request.target, objects.catalogue), let name = resource.name,
            resource.subresource != nil, let verb = Verb(request, resource)
        else { return nil }
        try authorize(request.user, verb, resource)
        let subresource = SubresourceRequest(
            resource: resource, name: name, context: RequestContext(user: request.user))
        return try await subresources.upgrade(request, subresource, verb, to: protocolName)
    }

    private func authorize(_ user: User, _ verb: Verb, _ resource: ResourceRequest) throws(Status) {
        try authorization.check(
            user,
            .init(
                verb: verb.rawValue,
                subject: .resource(
                    resource.type, namespace: resource.namespace, name: resource.name,
                    subresource: resource.subresource)))
    }
}
