import APIClient
import KubernetesModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// A server under load from clients that cost little, for they share the machine with it: HTTP/1.1 on kept connections
/// with TLS, each client a chain of callbacks on one event loop, as in `wrk`. Answers are read to their end and their
/// status is checked, but nobody decodes them.
struct LoadServer: Sendable {
    struct Request: Sendable {
        var method = HTTPMethod.GET
        var path: String
        var contentType = "application/json"
        var body = ""
    }

    private let host: String
    private let port: Int
    private let tls: NIOSSLContext

    /// The cluster of `kubeconfig`, whose server is `https://ADDRESS:PORT`.
    init(_ kubeconfig: Kubeconfig) throws {
        let address = kubeconfig.server.dropFirst("https://".count).split(separator: ":")
        guard address.count == 2, let port = Int(address[1]) else {
            throw BenchError(text: "\(kubeconfig.server) is not https://ADDRESS:PORT")
        }
        try self.init(host: String(address[0]), port: port, try kubeconfig.tlsConfiguration())
    }

    init(host: String, port: Int, _ configuration: TLSConfiguration) throws {
        var configuration = configuration
        configuration.applicationProtocols = ["http/1.1"]
        self.host = host
        self.port = port
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// One request on a connection of its own.
    func once(_ request: Request) async throws {
        _ = try await loop(try await connect(), until: .now()) { _ in request }.get()
    }

    /// How many requests `clients` together do in `seconds`, each sending its next one when the last is answered.
    func load(
        clients: Int, seconds: Double, _ request: @escaping @Sendable (_ client: Int, _ count: Int) -> Request
    ) async throws -> (count: Int, perSecond: Double) {
        let channels = try await connect(clients)
        let begin = NIODeadline.now()
        let until = begin + .milliseconds(Int64(seconds * 1000))
        let loops = channels.enumerated().map { client, channel in
            loop(channel, until: until) { count in request(client, count) }
        }
        var count = 0
        for loop in loops { count += try await loop.get() }
        return (count, Double(count) / (Double((NIODeadline.now() - begin).nanoseconds) / 1e9))
    }

    /// Opens `count` watches, whose events `seen` counts until the channels are closed.
    func watch(_ count: Int, _ path: String, seen: EventCount) async throws -> [any Channel] {
        let channels = try await connect(count)
        for channel in channels {
            let begun = channel.eventLoop.makePromise(of: Void.self)
            try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.addHandler(WatchHandler(head(path), begun: begun, seen: seen))
            }.get()
            try await begun.futureResult.get()
        }
        return channels
    }

    private func connect(_ count: Int) async throws -> [any Channel] {
        var channels: [any Channel] = []
        for _ in 0..<count { channels.append(try await connect()) }
        return channels
    }

    private func connect() async throws -> any Channel {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        let shaken = try await bootstrap.connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                let negotiation = NIOTypedApplicationProtocolNegotiationHandler<any Channel> { _, channel in
                    channel.pipeline.addHTTPClientHandlers().map { channel }
                }
                try channel.pipeline.syncOperations.addHandlers(
                    try NIOSSLClientHandler(context: tls, serverHostname: nil), negotiation)
                return negotiation.protocolNegotiationResult
            }
        }
        return try await shaken.get()
    }

    private func loop(
        _ channel: any Channel, until: NIODeadline, _ next: @escaping @Sendable (Int) -> Request
    ) -> EventLoopFuture<Int> {
        channel.eventLoop.flatSubmit {
            let ended = channel.eventLoop.makePromise(of: Int.self)
            do {
                let handler = LoopHandler(until: until, ended: ended) { count in
                    let request = next(count)
                    var head = head(request.path, request.method)
                    guard !request.body.isEmpty else { return (head, nil) }
                    head.headers.add(name: "content-type", value: request.contentType)
                    head.headers.add(name: "content-length", value: String(request.body.utf8.count))
                    return (head, ByteBuffer(string: request.body))
                }
                try channel.pipeline.syncOperations.addHandler(handler)
            } catch {
                ended.fail(error)
            }
            return ended.futureResult
        }
    }

    private func head(_ path: String, _ method: HTTPMethod = .GET) -> HTTPRequestHead {
        let headers: HTTPHeaders = ["host": "\(host):\(port)", "accept": "application/json"]
        return HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
    }
}

/// Events that watches have received.
final class EventCount: Sendable {
    private let value = Atomic(0)

    var current: Int { value.load(ordering: .relaxed) }
    func add(_ count: Int) { value.wrappingAdd(count, ordering: .relaxed) }
}

/// Sends a request, reads its answer, and so on until the time is up; then closes the connection.
private final class LoopHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let until: NIODeadline
    private let ended: EventLoopPromise<Int>
    private let next: (Int) -> (HTTPRequestHead, ByteBuffer?)
    private var count = 0

    init(
        until: NIODeadline, ended: EventLoopPromise<Int>, next: @escaping (Int) -> (HTTPRequestHead, ByteBuffer?)
    ) {
        self.until = until
        self.ended = ended
        self.next = next
    }

    func handlerAdded(context: ChannelHandlerContext) { send(context) }

    private func send(_ context: ChannelHandlerContext) {
        let (head, body) = next(count)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard (200..<300).contains(head.status.code) else {
                return errorCaught(context: context, error: BenchError(text: "the server answered \(head.status)"))
            }
        case .body: break
        case .end:
            count += 1
            if NIODeadline.now() < until { return send(context) }
            ended.succeed(count)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ended.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended.fail(BenchError(text: "the server closed the connection"))
    }
}

/// Begins a watch and counts its events, each of which is a line.
private final class WatchHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let head: HTTPRequestHead
    private let begun: EventLoopPromise<Void>
    private let seen: EventCount

    init(_ head: HTTPRequestHead, begun: EventLoopPromise<Void>, seen: EventCount) {
        self.head = head
        self.begun = begun
        self.seen = seen
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            if head.status == .ok {
                begun.succeed()
            } else {
                begun.fail(BenchError(text: "the server answered a watch with \(head.status)"))
            }
        case .body(let bytes): seen.add(Self.lines(bytes))
        case .end: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { begun.fail(error) }
    func channelInactive(context: ChannelHandlerContext) {
        begun.fail(BenchError(text: "the server closed a watch"))
    }

    private static func lines(_ bytes: ByteBuffer) -> Int {
        bytes.withUnsafeReadableBytes { bytes in
            var count = 0
            for byte in bytes where byte == UInt8(ascii: "\n") { count += 1 }
            return count
        }
    }
}
