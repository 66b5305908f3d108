import KubernetesModel

/// `pods/log`: what the agent of the pod's node has of a container's output.
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
