import APIClient
import ClusterLayout
import KubernetesModel

/// `nodes/proxy`: what tools read of the kubelet's HTTP API. A node agent has no port, but a socket.
struct NodeProxy: Sendable {
    let objects: Objects
    let runDirectory: String

    /// Whether a request is for the kubelet, and not for some other port of the node.
    static func answers(_ type: ResourceType, _ target: ProxyTarget) -> Bool {
        type == .nodes && (target.port.isEmpty || target.port == "10250")
    }

    func respond(to request: APIRequest, _ resource: ResourceRequest, _ node: String) async throws -> APIResponse {
        _ = try objects.stored(.nodes, namespace: nil, name: node)
        guard request.method == .get else { throw Status.methodNotSupported(.nodes, request.method.rawValue) }
        let encoding = try Encoding(accept: request.header(.accept))
        switch resource.rest {
        case ["healthz"]:
            _ = try await summary(node)
            return APIResponse(text: "ok")
        case ["stats", "summary"]:
            return encoding.response(try await summary(node))
        case ["pods"]:
            guard let pods = objects.catalogue.kind(.pods) else { throw Status.pathNotFound() }
            let page = try objects.list(
                ResourceRequest(pods, namespace: nil),
                try Selection(labels: nil, fields: "spec.nodeName=\(node)", pods), ListOptions())
            return encoding.response(page, pods, include: .metadata)
        default: throw Status.pathNotFound()
        }
    }

    private func summary(_ node: String) async throws(Status) -> JSON {
        do {
            return try await ResourceMetrics.summary(of: NodePaths.socket(of: node, in: runDirectory))
        } catch {
            throw .serviceUnavailable("error trying to reach service: the node agent of \(node) does not answer")
        }
    }
}
