import KubernetesModel

/// `namespaces/finalize`: only `spec.finalizers` is written, which no other update may touch.
struct FinalizeSubresource: ObjectSubresource {
    let name = "finalize"
    let objects: Objects

    func update(_ change: SubresourceChange, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        .whole(
            try await objects.update(request.resource, name: request.name, part: .all, request.context) {
                current throws(Status) in
                let sent = try change.applied(to: current, request.resource.resource)
                var object = current
                object.spec["finalizers"] = sent.spec["finalizers"]
                if !sent.resourceVersion.isEmpty {
                    object.metadata["resourceVersion"] = sent.metadata["resourceVersion"]
                }
                return object
            })
    }
}
