import KubernetesModel

/// `pods/log`: a container's log, from the agent of the pod's node.
struct LogSubresource: ConnectSubresource {
    let name = "log"
    let objects: Objects
    let streams: PodStreams

    var isAdmitted: Bool { false }

    func connect(_ http: APIRequest, _ request: SubresourceRequest) async throws -> APIResponse {
        try await streams.log(http.query, try pod(request))
    }

    func upgrade(_ http: APIRequest, _ request: SubresourceRequest, to protocolName: String) async throws -> Upgrade? {
        guard protocolName == "websocket" else { return nil }
        return try await streams.webSocketLog(http, try pod(request))
    }

    private func pod(_ request: SubresourceRequest) throws(Status) -> Object {
        try objects.stored(.pods, namespace: request.resource.namespace, name: request.name).object
    }
}
