import KubernetesModel
import NIOCore
import NodeStreams

extension PodStreams {
    /// A container's log as plain text, streamed.
    func log(_ query: Query, _ pod: Object) async throws -> APIResponse {
        let container = try container(query["container"], in: pod)
        var request = LogRequest(namespace: pod.namespace, pod: pod.name, podUID: pod.uid, container: container)
        request.follow = query.flag("follow")
        request.previous = query.flag("previous")
        request.timestamps = query.flag("timestamps")
        request.tailLines = try number("tailLines", query, min: 0)
        request.limitBytes = try number("limitBytes", query, min: 1)
        request.sinceSeconds = try number("sinceSeconds", query, min: 1)
        if let text = query["sinceTime"] {
            guard let time = Timestamp(text) else { throw Status.badRequest("sinceTime is no RFC 3339 time: \(text)") }
            guard request.sinceSeconds == nil else {
                throw Status.badRequest("at most one of sinceTime or sinceSeconds may be specified")
            }
            request.sinceTime = time
        }
        // A pod without a node has no log yet, which is no error.
        guard pod.spec["nodeName"].string?.isEmpty == false else { return APIResponse(text: "") }
        let session = try await StreamSession.open(socket: socket(of: pod), .logs(request))
        var response = APIResponse(
            body: .stream { sink in
                while let frame = try await session.next(), frame.channel != .end {
                    if frame.channel == .stdout { try await sink.write(ByteBuffer(bytes: frame.payload)) }
                }
                await session.close()
            })
        response.contentType = "text/plain"
        return response
    }

    private func number(_ name: String, _ query: Query, min: Int) throws(Status) -> Int? {
        guard let text = query[name] else { return nil }
        guard let value = Int(text) else { throw .badRequest("\(name) is no number: \(text)") }
        guard value >= min else {
            let bound = min == 0 ? "greater than or equal to 0" : "greater than 0"
            let error = FieldError(.invalid, name, value: JSON(value), detail: "must be \(bound)")
            throw Status(
                code: 422, reason: "Invalid", message: "PodLogOptions \"\" is invalid: \(name): \(error.message)",
                kind: "PodLogOptions",
                causes: [.init(reason: error.kind.rawValue, message: error.message, field: name)])
        }
        return value
    }
}
