import KubernetesModel

/// `pods/log`: a container's log, from the agent of the pod's node.
struct LogSubresource: ConnectSubresource {
    let name = "log"
    let objects: Objects
    let streams: PodStreams

    var isAdmitted: Bool { false }

    func connect(_ http: APIRequest, _ request: SubresourceRequest) async throws -> APIResponse {
        let pod = try objects.stored(.pods, namespace: request.resource.namespace, name: request.name).object
        return try await streams.log(http.query, pod)
    }
}
