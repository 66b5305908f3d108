import APIClient
import Kinds
import HTTPTypes
import KubernetesModel

/// All subresources, and the way of a request to one: the catalogue's verbs → admission → the subresource.
struct Subresources: Sendable {
    private enum Entry {
        case object(any ObjectSubresource)
        case connect(any ConnectSubresource)
    }

    private let table: [String: Entry]
    private let admission: AdmissionChain

    /// - Parameter runDirectory: the directory of the node agents' sockets.
    init(objects: Objects, tokens: TokenAuthority?, runDirectory: String, proxy: ReverseProxy) {
        let streams = PodStreams(runDirectory: runDirectory)
        self.init(
            [
                PartSubresource(name: "status", part: .status, objects: objects),
                PartSubresource(name: "approval", part: .status, objects: objects),
                PartSubresource(name: "ephemeralcontainers", part: .ephemeralContainers, objects: objects),
                FinalizeSubresource(objects: objects),
                ScaleSubresource(objects: objects),
                BindingSubresource(objects: objects),
                EvictionSubresource(objects: objects),
                TokenSubresource(objects: objects, tokens: tokens),
                LogSubresource(objects: objects, streams: streams),
                StreamSubresource(name: "exec", objects: objects, streams: streams),
                StreamSubresource(name: "attach", objects: objects, streams: streams),
                StreamSubresource(name: "portforward", objects: objects, streams: streams),
                ProxySubresource(proxy: proxy, node: NodeProxy(objects: objects, runDirectory: runDirectory)),
            ], admission: objects.admission)
    }

    init(_ subresources: [any SubresourceHandler], admission: AdmissionChain) {
        var table: [String: Entry] = [:]
        for subresource in subresources {
            switch subresource {
            case let object as any ObjectSubresource: table[subresource.name] = .object(object)
            case let connect as any ConnectSubresource: table[subresource.name] = .connect(connect)
            default: preconditionFailure("\(subresource.name) is neither an object nor to be connected to")
            }
        }
        self.table = table
        self.admission = admission
    }

    var names: Set<String> { Set(table.keys) }

    /// - Throws: `NotFound` where the resource has no such subresource, `MethodNotAllowed` where that has no such verb.
    private func find(_ request: SubresourceRequest, _ verb: Verb) throws(Status) -> Entry {
        let resource = request.resource
        guard let name = resource.subresource, let row = resource.resource.subresource(name),
            let entry = table[name]
        else { throw .pathNotFound() }
        guard row.verbs.contains(verb.rawValue) else { throw .methodNotSupported(resource.type, verb.rawValue) }
        return entry
    }
}

/// Over HTTP.
extension Subresources {
    func respond(to http: APIRequest, _ request: SubresourceRequest, _ verb: Verb) async throws -> APIResponse {
        let encoding = try Encoding(accept: http.header(.accept))
        switch try find(request, verb) {
        case .object(let subresource):
            let result =
                switch verb {
                case .get: try await subresource.get(request)
                case .create: try await create(Decoding.object(http), subresource, request)
                case .update: try await subresource.update(.replace(Decoding.object(http)), request)
                case .patch: try await subresource.update(.patch(Decoding.patch(http)), request)
                case .list, .watch, .delete, .deletecollection:
                    throw Status.methodNotSupported(request.resource.type, verb.rawValue)
                }
            return encoding.response(result, request.resource.resource, code: verb == .create ? 201 : 200)
        case .connect(let subresource):
            try await admit(http, subresource, request)
            return try await subresource.connect(http, request)
        }
    }

    /// The session that a request's connection may be upgraded to; nil where there is none to be had.
    func upgrade(
        _ http: APIRequest, _ request: SubresourceRequest, _ verb: Verb, to protocolName: String
    ) async throws -> Upgrade? {
        guard case .connect(let subresource) = try find(request, verb) else { return nil }
        try await admit(http, subresource, request)
        return try await subresource.upgrade(http, request, to: protocolName)
    }

    private func admit(
        _ http: APIRequest, _ subresource: any ConnectSubresource, _ request: SubresourceRequest
    ) async throws(Status) {
        guard subresource.isAdmitted, admission.handles(.connect, request.resource) else { return }
        var options = ConnectOptions.object(http, request.resource)
        try await admission.admit(&options, .connect, request.resource, name: request.name, request.context)
    }
}

/// In process.
extension Subresources {
    func create(_ sent: Object, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        try await create(sent, try object(request, .create), request)
    }

    func update(_ change: SubresourceChange, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        let verb: Verb = if case .replace = change { .update } else { .patch }
        return try await object(request, verb).update(change, request)
    }

    private func object(_ request: SubresourceRequest, _ verb: Verb) throws(Status) -> any ObjectSubresource {
        switch try find(request, verb) {
        case .object(let subresource): return subresource
        case .connect(let subresource):
            throw .badRequest(
                "\(request.resource.type.plural)/\(subresource.name) needs a connection, which a client in the API "
                    + "server's process has not: use one over HTTPS")
        }
    }

    private func create(
        _ sent: Object, _ subresource: any ObjectSubresource, _ request: SubresourceRequest
    ) async throws(Status) -> SubresourceResult {
        var object = sent
        try await admission.admit(&object, .create, request.resource, name: request.name, request.context)
        return try await subresource.create(object, request)
    }
}

extension Encoding {
    fileprivate func response(_ result: SubresourceResult, _ resource: Kind, code: Int) -> APIResponse {
        switch result {
        case .whole(let written): response(written, resource, code: code)
        case .object(let object, let columns): response(json(object, columns), code: code)
        case .success:
            response(
                [
                    "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": JSON(code),
                ], code: code)
        }
    }
}
