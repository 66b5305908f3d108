import HTTPTypes
import HummingbirdCore
import KubernetesModel
import Logging
import NIOCore

/// Between HTTP and the pipeline: passes a request through the pipeline, which reads its body, and writes the response.
struct RequestHandler: Sendable {
    /// Who asks, and how.
    struct Client: Sendable {
        let connection: Connection
        let certificate: ClientCertificate?
        /// Whether requests share the connection (HTTP/2).
        let isMultiplexed: Bool
    }

    /// What of a refused request's body is read nevertheless, so that its connection can be used for the next one.
    private static let maxUnread = 256 * 1024

    let pipeline: Pipeline
    let logger: Logger

    func respond(
        to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel, _ client: Client
    ) async throws {
        client.connection.beginRequest()
        defer { client.connection.endRequest() }
        let target = RequestTarget(request.head.path ?? "/")
        // Whether it is one the pipeline knows, after authorization.
        let mayBeProxied = target.segments.contains("proxy")
        let body = IncomingBody(request, isMultiplexed: client.isMultiplexed, isStreamed: mayBeProxied)
        if !client.isMultiplexed, !body.isExpected, let protocolName = Upgrade.asked(by: request.headers),
            let upgrade = await upgrade(of: request, target, to: protocolName, client)
        {
            let session = try await UpgradeGate.start(upgrade, to: protocolName, on: channel)
            await session.run()
            try? await channel.close()
            return
        }
        if body.isExpected, mayBeProxied {
            var sink: ResponseWriter? = consume writer
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await body.pump() }
                defer { group.cancelAll() }
                let response = await self.response(to: request, target, body, client)
                guard let writer = sink.take() else { return }
                try await write(response, to: request, writer, channel, body, client)
            }
            return
        }
        // A client that is slow on purpose would keep what the request has by now.
        let deadline =
            body.isExpected
            ? channel.eventLoop.scheduleTask(in: client.connection.limits.body) { channel.close(promise: nil) } : nil
        let response = await self.response(to: request, target, body, client)
        deadline?.cancel()
        try await write(response, to: request, writer, channel, body, client)
    }

    private func response(
        to request: Request, _ target: RequestTarget, _ body: IncomingBody, _ client: Client
    ) async -> APIResponse {
        do {
            let user = try pipeline.user(headers: request.headers, certificate: client.certificate)
            if user.isAuthenticated { client.connection.identify() }
            var incoming = APIRequest(
                method: request.method, target: target, headers: request.headers, incoming: body, user: user)
            incoming.authority = request.head.authority
            return await pipeline.respond(to: incoming)
        } catch {
            return Encoding.response(error)
        }
    }

    private func write(
        _ response: APIResponse, to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel,
        _ body: IncomingBody, _ client: Client
    ) async throws {
        var head = HTTPResponse(status: HTTPResponse.Status(code: response.code))
        head.headerFields[.contentType] = response.contentType
        head.headerFields[.cacheControl] = "no-cache, private"
        for header in response.headers { head.headerFields.append(HTTPField(name: header.name, value: header.value)) }
        // Of a connection that was to become another one no more is parsed.
        let isLast = !client.isMultiplexed && Upgrade.isAsked(by: request.headers)
        if isLast { head.headerFields[.connection] = "close" }
        switch response.body {
        case .bytes(let bytes):
            // A body that is refused may have no end.
            let breaksOff = !body.isRead && (client.isMultiplexed || (body.length ?? .max) > Self.maxUnread)
            if breaksOff, !client.isMultiplexed { head.headerFields[.connection] = "close" }
            head.headerFields[.contentLength] = String(bytes.readableBytes)
            let content = request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: bytes)
            try await writer.write(response: head, body: content)
            guard breaksOff || isLast else { return }
            // Closed at once, what the client sends meanwhile would take the response from it.
            if breaksOff, !client.isMultiplexed { try await Task.sleep(for: .milliseconds(500)) }
            channel.close(promise: nil)
        case .stream(let produce):
            let content = try await writer.writeHead(head)
            try await stream(produce, to: content, until: channel)
            if isLast { channel.close(promise: nil) }
        }
    }

    /// The upgrade for which a request asks; nil where it is refused: the response says why.
    private func upgrade(
        of request: Request, _ target: RequestTarget, to protocolName: String, _ client: Client
    ) async -> Upgrade? {
        guard let user = try? pipeline.user(headers: request.headers, certificate: client.certificate) else {
            return nil
        }
        if user.isAuthenticated { client.connection.identify() }
        let request = APIRequest(
            method: request.method, target: target, headers: request.headers, body: ByteBuffer(), user: user)
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
