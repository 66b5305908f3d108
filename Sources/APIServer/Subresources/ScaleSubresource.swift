import APIMachinery
import KubernetesModel

/// `scale`: the number of replicas of any workload, as an `autoscaling/v1 Scale`.
struct ScaleSubresource: ObjectSubresource {
    let name = "scale"
    let objects: Objects

    func get(_ request: SubresourceRequest) throws(Status) -> SubresourceResult {
        let resource = request.resource
        let object = try objects.stored(resource.type, namespace: resource.namespace, name: request.name).object
        return .object(Self.scale(of: object), Self.columns)
    }

    func update(_ change: SubresourceChange, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        let resource = request.resource
        let name = request.name
        let context = request.context
        let written = try await objects.update(resource, name: name, part: .main, isAdmitted: true, context) {
            current throws(Status) in
            let old = Self.scale(of: current)
            var scale = try change.appliedWithoutSchema(to: old)
            try await objects.admission.mutate(&scale, old: old, .update, resource, name: name, context)
            let replicas = try Self.replicas(scale, name)
            if !scale.resourceVersion.isEmpty, scale.resourceVersion != current.resourceVersion {
                throw .conflict(resource.type, name)
            }
            try await objects.admission.validate(scale, old: old, .update, resource, name: name, context)
            var object = current
            object.spec["replicas"] = JSON(replicas)
            return object
        }
        return .object(Self.scale(of: written.object), Self.columns)
    }

    private static let columns = Table.Columns([.name, .integer("Desired"), .integer("Available"), .age]) {
        scale, now in
        [
            .string(scale.name), JSON(scale.spec["replicas"].int ?? 0), JSON(scale.status["replicas"].int ?? 0),
            scale.age(now),
        ]
    }

    private static func replicas(_ scale: Object, _ name: String) throws(Status) -> Int {
        guard let replicas = scale.spec["replicas"].isNull ? 0 : scale.spec["replicas"].int else {
            throw .badRequest("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is no number")
        }
        guard replicas >= 0 else {
            throw invalid(
                name,
                FieldError(
                    .invalid, "spec.replicas", value: JSON(replicas), detail: "must be greater than or equal to 0"))
        }
        return replicas
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
