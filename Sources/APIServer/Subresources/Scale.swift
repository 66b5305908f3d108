import APIClient
import KubernetesModel

/// `scale`: the number of replicas of any workload, as an `autoscaling/v1 Scale`.
struct Scale: Sendable {
    let objects: Objects

    func respond(
        to request: APIRequest, _ resource: ResourceRequest, _ name: String, _ verb: Verb,
        _ context: RequestContext, _ encoding: Encoding
    ) async throws(Status) -> APIResponse {
        switch verb {
        case .get:
            return encoding.response(try get(resource, name).json)
        case .update:
            let scale = try Decoding.object(request)
            return encoding.response(try await set(resource, name, context) { _ in scale }.json)
        case .patch:
            let patch = try PatchRequests.patch(request)
            let changed = try await set(resource, name, context) { current throws(Status) in
                try PatchRequests.applySchemaless(patch, to: current)
            }
            return encoding.response(changed.json)
        default:
            throw .methodNotSupported(resource.type, verb.rawValue)
        }
    }

    func get(_ resource: ResourceRequest, _ name: String) throws(Status) -> Object {
        Self.scale(of: try objects.stored(resource.type, namespace: resource.namespace, name: name).object)
    }

    /// Sets the replicas that `change` makes of the present scale.
    func set(
        _ resource: ResourceRequest, _ name: String, _ context: RequestContext,
        _ change: (Object) throws(Status) -> Object
    ) async throws(Status) -> Object {
        let written = try await objects.update(resource, name: name, part: .main, context) {
            current throws(Status) in
            let scale = try change(Self.scale(of: current))
            guard let replicas = scale.spec["replicas"].isNull ? 0 : scale.spec["replicas"].int else {
                throw .badRequest("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is no number")
            }
            guard replicas >= 0 else {
                throw Self.invalid(
                    name,
                    FieldError(
                        .invalid, "spec.replicas", value: JSON(replicas),
                        detail: "must be greater than or equal to 0"))
            }
            if !scale.resourceVersion.isEmpty, scale.resourceVersion != current.resourceVersion {
                throw .conflict(resource.type, name)
            }
            var object = current
            object.spec["replicas"] = JSON(replicas)
            return object
        }
        return Self.scale(of: written.object)
    }

    private static func invalid(_ name: String, _ error: FieldError) -> Status {
        .invalid(
            ResourceType(group: "autoscaling", version: "v1", plural: "scales", kind: "Scale", namespaced: true),
            name, [error])
    }

    private static func scale(of object: Object) -> Object {
        // A replication controller's selector is a plain map of labels.
        let selector = object.spec["selector"]
        let text =
            object.kind == "ReplicationController"
            ? LabelSelector(labels: selector.stringMap).description : LabelSelector(selector).description
        var metadata: JSON = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[field] = object.metadata[field]
        }
        var scale = Object(["kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata])
        scale.spec = [:]
        if let replicas = object.spec["replicas"].int, replicas != 0 { scale.spec["replicas"] = JSON(replicas) }
        scale.status = ["replicas": JSON(object.status["replicas"].int ?? 0)]
        if !text.isEmpty { scale.status["selector"] = .string(text) }
        return scale
    }
}
