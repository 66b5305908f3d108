import KubernetesModel

/// `pods/binding`: the scheduler's decision, made once.
struct BindingSubresource: ObjectSubresource {
    let name = "binding"
    let objects: Objects

    func create(_ binding: Object, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        let resource = request.resource
        let name = request.name
        guard let node = binding["target"]["name"].string, !node.isEmpty else {
            throw .invalid(
                ResourceType(group: "", version: "v1", plural: "bindings", kind: "Binding", namespaced: true), name,
                [FieldError(.required, "target.name")])
        }
        _ = try await objects.update(resource, name: name, part: .all, isAdmitted: true, request.context) {
            current throws(Status) in
            guard !current.isBeingDeleted else {
                throw .conflict(resource.type, name, "pod \(name) is being deleted, cannot be assigned to a host")
            }
            if !binding.uid.isEmpty, binding.uid != current.uid {
                throw .conflict(
                    resource.type, name,
                    "Precondition failed: UID in precondition: \(binding.uid), UID in object meta: \(current.uid)")
            }
            if let present = current.spec["nodeName"].string, !present.isEmpty {
                throw .conflict(resource.type, name, "pod \(name) is already assigned to node \"\(present)\"")
            }
            var pod = current
            pod.spec["nodeName"] = .string(node)
            for (key, value) in binding.annotations { pod.metadata["annotations"][key] = .string(value) }
            pod.setCondition(Condition(["type": "PodScheduled", "status": "True", "lastProbeTime": .null]))
            return pod
        }
        return .success
    }
}
