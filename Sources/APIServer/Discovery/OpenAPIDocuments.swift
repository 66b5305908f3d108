import KubernetesModel

/// `/openapi/v2` and `/openapi/v3`.
struct OpenAPIDocuments: Sendable {
    let catalogue: Catalogue

    func respond(to request: APIRequest, _ path: [String]) throws(Status) -> APIResponse {
        throw .pathNotFound()
    }
}
