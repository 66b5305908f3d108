import HTTPTypes
import Kinds
import KubernetesModel

/// What a path names.
enum Route: Sendable {
    /// `/api`, `/apis/apps/v1`, `/healthz` and every other path that names no resource.
    case path
    case resource(ResourceRequest)

    /// - Throws: `pathNotFound` for a path under a served group that no resource has.
    init(_ target: RequestTarget, _ catalogue: Catalogue) throws(Status) {
        var segments = target.segments[...]
        let group: String
        switch segments.popFirst() {
        case "api": group = ""
        case "apis":
            guard let name = segments.popFirst() else {
                self = .path
                return
            }
            group = name
        default:
            self = .path
            return
        }
        guard let version = segments.popFirst(), !segments.isEmpty else {
            self = .path
            return
        }
        // Deprecated, but the only path to watch a single object.
        let isWatch = segments.first == "watch" && segments.count > 1
        if isWatch { segments.removeFirst() }
        var namespace: String?
        if segments.first == "namespaces", segments.count > 2,
            !(segments.count == 3 && ["status", "finalize"].contains(segments.last))
        {
            namespace = segments.dropFirst().first
            segments = segments.dropFirst(2)
        }
        guard let plural = segments.popFirst(),
            let resource = catalogue.kind(group: group, version: version, plural: plural),
            namespace == nil || resource.type.namespaced
        else { throw .pathNotFound() }
        let name = segments.popFirst()
        let subresource = segments.popFirst()
        guard segments.isEmpty || subresource == "proxy", subresource == nil || !isWatch,
            name == nil || namespace != nil || !resource.type.namespaced
        else { throw .pathNotFound() }
        self = .resource(
            ResourceRequest(
                resource, namespace: namespace, name: name, subresource: subresource, rest: Array(segments),
                isWatch: isWatch))
    }
}

/// The verb of a request, in the API's words.
enum Verb: String, Sendable {
    case get, list, watch, create, update, patch, delete, deletecollection

    init?(_ request: APIRequest, _ resource: ResourceRequest) {
        switch request.method {
        case .get, .head:
            if resource.isWatch {
                self = .watch
            } else if resource.name != nil {
                self = .get
            } else {
                self = request.query.flag("watch") ? .watch : .list
            }
        case _ where resource.isWatch: return nil
        case .post: self = .create
        case .put: self = .update
        case .patch: self = .patch
        case .delete: self = resource.name == nil ? .deletecollection : .delete
        default: return nil
        }
    }
}
