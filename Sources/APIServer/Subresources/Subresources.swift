import APIClient
import APIMachinery
import KubernetesModel
import NIOCore
import Store

/// The requests on parts of objects: `status`, `scale`, `binding` and the rest, each in a file of this folder.
struct Subresources: Sendable {
    let objects: Objects
    let tokens: TokenAuthority?
    let streams: PodStreams
    let proxy: ReverseProxy

    func respond(
        to request: APIRequest, _ resource: ResourceRequest, _ name: String, _ info: ResourceInfo.Subresource,
        _ verb: Verb, _ context: RequestContext, _ requests: ObjectRequests
    ) async throws -> APIResponse {
        let encoding = try Encoding(accept: request.header(.accept))
        switch info.name {
        case "status", "finalize", "approval", "ephemeralcontainers":
            return try await part(request, resource, name, info.name, verb, context, requests, encoding)
        case "scale":
            return try await Scale(objects: objects).respond(to: request, resource, name, verb, context, encoding)
        case "binding":
            try require(verb == .create, resource, verb)
            try await Binding(objects: objects).bind(Decoding.object(request), resource, name, context)
            return encoding.created
        case "eviction":
            try require(verb == .create, resource, verb)
            try await Eviction(objects: objects).evict(Decoding.object(request), resource, name, context)
            return encoding.created
        case "token":
            try require(verb == .create, resource, verb)
            return try TokenRequests(objects: objects, tokens: tokens).create(
                Decoding.object(request), resource, name, encoding)
        case "log", "exec", "attach", "portforward":
            let pod = try objects.stored(.pods, namespace: resource.namespace, name: name).object
            return try await streams.respond(to: request, pod, info.name)
        case "proxy" where NodeProxy.answers(resource.type, ReverseProxy.Target(name)):
            return try await NodeProxy(objects: objects, runFolder: streams.runFolder).respond(
                to: request, resource, ReverseProxy.Target(name).name)
        case "proxy":
            return try await proxy.respond(to: request, resource, name, objects)
        default:
            throw Status.pathNotFound()
        }
    }

    func upgrade(
        _ request: APIRequest, _ resource: ResourceRequest, to protocolName: String
    ) async throws -> Upgrade? {
        guard resource.type == .pods, let name = resource.name, let subresource = resource.subresource,
            ["exec", "attach", "portforward", "log"].contains(subresource)
        else { return nil }
        let pod = try objects.stored(.pods, namespace: resource.namespace, name: name).object
        return try streams.upgrade(request, pod, subresource, to: protocolName)
    }

    private func require(_ holds: Bool, _ resource: ResourceRequest, _ verb: Verb) throws(Status) {
        if !holds { throw .methodNotSupported(resource.type, verb.rawValue) }
    }

    /// A part that is read and written in the form of the whole object.
    private func part(
        _ request: APIRequest, _ resource: ResourceRequest, _ name: String, _ part: String, _ verb: Verb,
        _ context: RequestContext, _ requests: ObjectRequests, _ encoding: Encoding
    ) async throws(Status) -> APIResponse {
        switch verb {
        case .get:
            let stored = try objects.stored(resource.type, namespace: resource.namespace, name: name)
            return encoding.response(stored, resource.resource)
        case .patch:
            return try await requests.patch(request, resource, part: Objects.Part(subresource: part), context)
        case .update:
            let sent = try Decoding.object(request)
            return encoding.response(
                try await objects.updatePart(part, resource, name: name, sent, context), resource.resource)
        default:
            throw .methodNotSupported(resource.type, verb.rawValue)
        }
    }
}

extension Encoding {
    /// The answer to an action that has no object of its own.
    fileprivate var created: APIResponse {
        response(["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201], code: 201)
    }
}

extension Objects {
    /// Replaces the part of an object that a subresource is about: for `finalize`, a namespace's `spec.finalizers`.
    func updatePart(
        _ part: String, _ request: ResourceRequest, name: String, _ sent: Object, _ context: RequestContext
    ) async throws(Status) -> Written {
        guard part == "finalize" else {
            return try await update(request, name: name, part: Part(subresource: part), context) { _ in sent }
        }
        return try await update(request, name: name, part: .all, context) { current in
            var object = current
            object.spec["finalizers"] = sent.spec["finalizers"]
            if !sent.resourceVersion.isEmpty {
                object.metadata["resourceVersion"] = sent.metadata["resourceVersion"]
            }
            return object
        }
    }
}
