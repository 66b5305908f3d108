import HTTPTypes
import KubernetesModel

/// `/openapi/v2` and `/openapi/v3`; 304 where the client has the document.
struct OpenAPIRequests: Sendable {
    let documents: OpenAPIDocuments

    func respond(to request: APIRequest, _ path: [String]) async throws(Status) -> APIResponse {
        // Writing a document would block the event loop.
        let found = await withTaskExecutorPreference(globalConcurrentExecutor) {
            await document(path, accept: request.header(.accept) ?? "")
        }
        guard let document = found else { throw .pathNotFound() }
        let tag = "\"\(document.tag)\""
        let isKnown = request.header(.ifNoneMatch) == tag
        var response = APIResponse(
            code: isKnown ? 304 : 200, contentType: document.contentType, bytes: isKnown ? [] : document.bytes)
        response.headers.append((.eTag, tag))
        response.headers.append((.vary, "Accept"))
        return response
    }

    private func document(_ path: [String], accept: String) async -> OpenAPIDocuments.Document? {
        switch path.first {
        case "v2" where path.count == 1: await documents.v2(accept: accept)
        case "v3" where path.count == 1: await documents.v3Root()
        case "v3": await documents.v3(path.dropFirst().joined(separator: "/"))
        default: nil
        }
    }
}
