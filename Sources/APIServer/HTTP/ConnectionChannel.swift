import HTTPTypes
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix
import NIOSSL
import NIOTLS

/// One connection: TLS, then HTTP/2 or HTTP/1.1 as the client chooses, or what an HTTP/1.1 request upgrades to.
struct ConnectionChannel: Sendable {
    typealias HTTP1Parts = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    enum Negotiated: Sendable {
        case http1(HTTP1Parts, RequestHandler.Client)
        case http2(HTTP2Channel, HTTP2Channel.Value)
    }

    /// An accepted connection, perhaps before the end of its handshake.
    struct Accepted: Sendable {
        let channel: any Channel
        let connection: Connection
        let negotiated: EventLoopFuture<Negotiated>

        /// Ends the connection without waiting for its client.
        ///
        /// TLS says goodbye and waits for the answer, which one that only keeps its connection for later does not read:
        /// the server would take 5 s to end. So the socket is closed as soon as it is said.
        func end() {
            channel.eventLoop.execute {
                channel.close(promise: nil)
                let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
                tls?.close(promise: nil)
            }
        }
    }

    /// The connection was refused because there are too many.
    struct TooMany: Error {}

    let tls: NIOSSLContext
    let connections: Connections
    let executors: EventLoopExecutor.Group
    let handler: RequestHandler
    let logger: Logger

    func accept(_ channel: any Channel) -> EventLoopFuture<Accepted> {
        channel.eventLoop.makeCompletedFuture {
            guard let connection = connections.admit(channel) else { throw TooMany() }
            let limits = connection.limits
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated> { result, channel in
                let isMultiplexed = if case .negotiated("h2") = result { true } else { false }
                let client = RequestHandler.Client(
                    connection: connection,
                    certificate: ClientCertificate(try? channel.pipeline.syncOperations.nioSSL_peerCertificate()),
                    isMultiplexed: isMultiplexed)
                if isMultiplexed {
                    let http2 = HTTP2Channel(
                        responder: responder(for: client), configuration: .init(idleTimeout: limits.idle))
                    return http2.setup(channel: channel, logger: logger).map { .http2(http2, $0) }
                }
                return channel.eventLoop.makeCompletedFuture { .http1(try http1(channel, client), client) }
            }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
            try channel.pipeline.syncOperations.addHandler(negotiation)
            return Accepted(
                channel: channel, connection: connection, negotiated: negotiation.protocolNegotiationResult)
        }
    }

    /// Serves a connection until it ends.
    func serve(_ accepted: Accepted) async {
        let channel = accepted.channel
        let connection = accepted.connection
        let deadline = channel.eventLoop.scheduleTask(in: connection.limits.firstRequest) {
            if !connection.hasBegun { channel.close(promise: nil) }
        }
        defer { deadline.cancel() }
        do {
            switch try await accepted.negotiated.get() {
            case .http2(let http2, let value):
                deadline.cancel()
                // The client is asked to leave (GOAWAY) where it has no stream open; one that does not answer, or whose
                // streams carry no requests, would stay.
                let interval = TimeAmount(connection.limits.idle)
                let idleness = channel.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                    if connection.isIdle { channel.close(promise: nil) }
                }
                defer { idleness.cancel() }
                await http2.handle(value: value, logger: logger)
            case .http1(let parts, let client):
                await HTTP1Channel(responder: responder(for: client)).handle(value: parts, logger: logger)
            }
        } catch {
            logger.debug("a connection ended before its first request", metadata: ["error": "\(error)"])
            try? await channel.close()
        }
    }

    private func responder(for client: RequestHandler.Client) -> HTTPChannelHandler.Responder {
        { request, writer, channel in try await handler.respond(to: request, writer, channel, client) }
    }

    private func http1(_ channel: any Channel, _ client: RequestHandler.Client) throws -> HTTP1Parts {
        let handlers: [any ChannelHandler] = [
            HTTP1ToHTTPServerCodec(secure: true),
            HTTPConnectionStateHandler(idleTimeout: client.connection.limits.idle, logger: logger),
        ]
        try channel.pipeline.syncOperations.addHandlers(UpgradeGate.handlers() + handlers)
        return try HTTP1Parts(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
}
