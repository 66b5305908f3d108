import HTTPTypes
import HummingbirdCore
import KubernetesModel
import Logging
import NIOCore

/// Between HTTP and the pipeline: reads a request, passes it through the pipeline, writes the response.
struct RequestHandler: Sendable {
    /// Kubernetes' own limit.
    static let maxBody = 3 * 1024 * 1024
    static let maxProxiedBody = 256 * 1024 * 1024

    let pipeline: Pipeline
    let logger: Logger

    func respond(
        to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel, certificate: User?
    ) async throws {
        let response = await response(to: request, certificate: certificate)
        var head = HTTPResponse(status: HTTPResponse.Status(code: response.code))
        head.headerFields[.contentType] = response.contentType
        head.headerFields[.cacheControl] = "no-cache, private"
        for header in response.headers { head.headerFields.append(HTTPField(name: header.name, value: header.value)) }
        switch response.body {
        case .bytes(let bytes):
            head.headerFields[.contentLength] = String(bytes.readableBytes)
            let body = request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: bytes)
            try await writer.write(response: head, body: body)
        case .stream(let produce):
            let body = try await writer.writeHead(head)
            try await stream(produce, to: body, until: channel)
        }
    }

    private func response(to request: Request, certificate: User?) async -> APIResponse {
        do {
            let target = RequestTarget(request.head.path ?? "/")
            let user = try pipeline.user(headers: request.headers, certificate: certificate)
            let limit = target.segments.contains("proxy") ? Self.maxProxiedBody : Self.maxBody
            let body: ByteBuffer
            do {
                body = try await request.body.collect(upTo: limit)
            } catch is NIOTooManyBytesError {
                throw Status(
                    code: 413, reason: "RequestEntityTooLarge",
                    message: "Request entity too large: limit is \(limit)")
            }
            return await pipeline.respond(
                to: APIRequest(
                    method: request.method, target: target, headers: request.headers, body: body, user: user))
        } catch let status as Status {
            return Encoding.response(status)
        } catch {
            return Encoding.response(.badRequest("the body of the request could not be read: \(error)"))
        }
    }

    /// The upgrade for which a connection's first request asks; nil where it is refused.
    func upgrade(
        method: String, target: String, headers: HTTPFields, to protocolName: String, certificate: User?
    ) async -> Upgrade? {
        guard let method = HTTPRequest.Method(rawValue: method),
            let user = try? pipeline.user(headers: headers, certificate: certificate)
        else { return nil }
        let request = APIRequest(
            method: method, target: RequestTarget(target), headers: headers, body: ByteBuffer(), user: user)
        return try? await pipeline.upgrade(request, to: protocolName)
    }

    /// Runs a streamed body, and cancels it when the client disconnects, which a waiting producer would not notice.
    private func stream(
        _ produce: @escaping @Sendable (any ByteSink) async throws -> Void,
        to body: some ResponseBodyWriter, until channel: any Channel
    ) async throws {
        let sink = BodySink(body)
        let (closed, continuation) = AsyncStream<Void>.makeStream()
        channel.closeFuture.whenComplete { _ in continuation.finish() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await produce(sink)
                try await sink.finish()
            }
            group.addTask {
                for await _ in closed {}
                throw CancellationError()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// Unchecked: only the task that produces a body writes to it, and it awaits each write.
private final class BodySink: ByteSink, @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: some ResponseBodyWriter) { self.writer = writer }

    func write(_ bytes: ByteBuffer) async throws { try await writer.write(bytes) }
    func finish() async throws { try await writer.finish(nil) }
}
