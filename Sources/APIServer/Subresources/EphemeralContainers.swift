import APIClient
import KubernetesModel

/// `pods/ephemeralcontainers`: containers that `kubectl debug` adds to a running pod.
struct EphemeralContainers: Sendable {
    let registry: Registry

    func respond(
        to request: APIRequest, _ resource: ResourceRequest, _ name: String, _ verb: Verb,
        _ context: RequestContext, _ objects: ObjectRequests, _ encoding: Encoding
    ) async throws(Status) -> APIResponse {
        switch verb {
        case .get:
            return encoding.response(
                try registry.stored(.pods, namespace: resource.namespace, name: name), resource.resource)
        case .update:
            let sent = try Decoding.object(request)
            return try await set(resource, name, context, encoding) { _ in sent }
        case .patch:
            let patch = try PatchRequests.patch(request)
            return try await set(resource, name, context, encoding) { current throws(Status) in
                try PatchRequests.apply(patch, to: current, resource.resource)
            }
        default:
            throw .methodNotSupported(resource.type, verb.rawValue)
        }
    }

    private func set(
        _ resource: ResourceRequest, _ name: String, _ context: RequestContext, _ encoding: Encoding,
        _ change: (Object) throws(Status) -> Object
    ) async throws(Status) -> APIResponse {
        let written = try await registry.update(resource, name: name, part: .all, context) {
            current throws(Status) in
            let wanted = try change(current).spec["ephemeralContainers"]
            let names = Set(wanted.items.compactMap { $0["name"].string })
            for present in current.spec["ephemeralContainers"].items.compactMap({ $0["name"].string })
            where !names.contains(present) {
                throw .invalid(
                    .pods, name,
                    [
                        FieldError(
                            .forbidden, "spec.ephemeralContainers",
                            detail: "existing ephemeral containers \"\(present)\" may not be removed\n")
                    ])
            }
            var pod = current
            pod.spec["ephemeralContainers"] = wanted
            return pod
        }
        return encoding.response(written, resource.resource)
    }
}
