import KubernetesModel

/// A part of an object that is read and written in the form of the whole object: `status`, `approval`,
/// `ephemeralcontainers`.
struct PartSubresource: ObjectSubresource {
    let name: String
    let part: Objects.Part
    let objects: Objects

    func get(_ request: SubresourceRequest) throws(Status) -> SubresourceResult {
        let resource = request.resource
        return .whole(
            Written(try objects.stored(resource.type, namespace: resource.namespace, name: request.name)))
    }

    func update(_ change: SubresourceChange, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        .whole(
            try await objects.update(request.resource, name: request.name, part: part, request.context) {
                current throws(Status) in
                try change.applied(to: current, request.resource.resource)
            })
    }
}
