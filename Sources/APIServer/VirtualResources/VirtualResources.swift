import KubernetesModel

/// Resources whose objects are computed for each request, and never stored: reviews, metrics.
///
/// Which kinds there are, with which verbs, is in their rows of the catalogue.
protocol VirtualResources: Sendable {
    func contain(_ type: ResourceType) -> Bool
    func respond(to request: APIRequest, _ resource: ResourceRequest) async throws(Status) -> APIResponse
}
