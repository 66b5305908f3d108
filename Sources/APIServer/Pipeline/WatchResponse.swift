import APIMachinery
import HTTPTypes
import Kinds
import KubernetesModel
import NIOCore
import Store
import Synchronization

/// The response to a watch: one JSON object a line, each sent at once.
struct WatchResponse: Sendable {
    let objects: Objects
    let encoding: Encoding

    /// Encoding more, above all as tables, would block the event loop.
    private static let maxOnEventLoop = 50

    /// About how many bytes a watch whose client does not read keeps.
    private static let maxBytes = 256 << 10

    func respond(
        to request: APIRequest, _ resource: ResourceRequest, _ context: RequestContext
    ) throws(Status) -> APIResponse {
        let query = request.query
        try RequestOptions.checkList(query, isWatch: true)
        let initial = query.flag("sendInitialEvents")
        let watch = WatchRequest(
            resource: resource,
            selection: try Selection(
                labels: query["labelSelector"], fields: query["fieldSelector"], name: resource.name, resource.resource),
            resourceVersion: query["resourceVersion"], bookmarks: query.flag("allowWatchBookmarks"),
            initialEvents: initial,
            timeout: try query.int("timeoutSeconds").flatMap { $0 > 0 ? .seconds(min($0, Int(Int32.max))) : nil }
                ?? WatchRequest.defaultTimeout)
        // As `kubectl wait` and `kubectl rollout status` do.
        if watch.selection.name != nil, let text = resource.resource.waitingWarning { context.warnings.add(text) }
        let include = try ObjectRequests.include(query)
        let encoder = WatchEncoder(encoding, resource.resource, include)
        let objects = objects
        var response = APIResponse(
            body: .stream { sink in
                try await objects.watch(watch) { notices in
                    for part in WatchEncoder.parts(of: notices, maxBytes: Self.maxBytes) {
                        guard part.count > Self.maxOnEventLoop else {
                            try await sink.write(encoder.encode(part))
                            continue
                        }
                        let bytes = await withTaskExecutorPreference(globalConcurrentExecutor) { encoder.encode(part) }
                        try await sink.write(bytes)
                    }
                }
            })
        if encoding.form != .object { response.contentType = "application/json;stream=watch" }
        return response
    }
}
