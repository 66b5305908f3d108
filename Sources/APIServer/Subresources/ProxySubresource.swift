import KubernetesModel

/// `pods/proxy`, `services/proxy` and `nodes/proxy`: HTTP requests that are forwarded.
struct ProxySubresource: ConnectSubresource {
    let name = "proxy"
    let proxy: ReverseProxy
    let node: NodeProxy

    func connect(_ http: APIRequest, _ request: SubresourceRequest) async throws -> APIResponse {
        let target = try ProxyTarget(request.name, request.resource.type.kind.lowercased())
        if NodeProxy.answers(request.resource.type, target) {
            return try await node.respond(to: http, request.resource, target.name)
        }
        return try await proxy.respond(to: http, request.resource, target, node.objects)
    }
}
