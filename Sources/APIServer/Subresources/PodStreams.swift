import KubernetesModel

/// `pods/log`, `exec`, `attach` and `portforward`: what the node agent of a pod's node carries.
struct PodStreams: Sendable {
    let runFolder: String

    func respond(to request: APIRequest, _ pod: Object, _ subresource: String) async throws -> APIResponse {
        throw Status(code: 501, reason: "NotImplemented", message: "\(subresource) is not served")
    }

    func upgrade(
        _ request: APIRequest, _ pod: Object, _ subresource: String, to protocolName: String
    ) async throws -> Upgrade? {
        nil
    }
}
