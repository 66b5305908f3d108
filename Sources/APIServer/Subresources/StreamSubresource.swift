import KubernetesModel

/// `pods/exec`, `pods/attach` and `pods/portforward`: streams that the agent of the pod's node carries.
struct StreamSubresource: ConnectSubresource {
    let name: String
    let objects: Objects
    let streams: PodStreams

    func connect(_ http: APIRequest, _ request: SubresourceRequest) throws -> APIResponse {
        try streams.refuse(http, try pod(request), name)
    }

    func upgrade(_ http: APIRequest, _ request: SubresourceRequest, to protocolName: String) throws -> Upgrade? {
        try streams.upgrade(http, try pod(request), name, to: protocolName)
    }

    private func pod(_ request: SubresourceRequest) throws(Status) -> Object {
        try objects.stored(.pods, namespace: request.resource.namespace, name: request.name).object
    }
}
