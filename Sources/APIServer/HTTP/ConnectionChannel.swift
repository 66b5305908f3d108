import HTTPTypes
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix
import NIOSSL
import NIOTLS

/// One connection: TLS, then HTTP/2 or HTTP/1.1 as the client chooses, or what an HTTP/1.1 request upgrades to.
struct ConnectionChannel: Sendable {
    typealias HTTP1Parts = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// An HTTP/1.1 connection after its first request.
    enum First: Sendable {
        case http1(HTTP1Parts, User?)
        case upgraded(Upgrade.Session)
    }

    enum Negotiated: Sendable {
        case http1(EventLoopFuture<First>)
        case http2(HTTP2Channel, HTTP2Channel.Value)
    }

    /// An accepted connection, perhaps before the end of its handshake.
    struct Accepted: Sendable {
        let channel: any Channel
        let negotiated: EventLoopFuture<Negotiated>
    }

    let tls: NIOSSLContext
    let executors: EventLoopExecutor.Group
    let handler: RequestHandler
    let logger: Logger

    func accept(_ channel: any Channel) -> EventLoopFuture<Accepted> {
        channel.eventLoop.makeCompletedFuture {
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated> { result, channel in
                let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate()
                let user = Authentication.user(of: certificate)
                if case .negotiated("h2") = result {
                    let http2 = HTTP2Channel(responder: responder(for: user))
                    return http2.setup(channel: channel, logger: logger).map { .http2(http2, $0) }
                }
                return channel.eventLoop.makeCompletedFuture { .http1(try http1(channel, user)) }
            }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
            try channel.pipeline.syncOperations.addHandler(negotiation)
            return Accepted(channel: channel, negotiated: negotiation.protocolNegotiationResult)
        }
    }

    /// Serves a connection until it ends.
    func serve(_ accepted: Accepted) async {
        do {
            switch try await accepted.negotiated.get() {
            case .http2(let http2, let value):
                await http2.handle(value: value, logger: logger)
            case .http1(let first):
                switch try await first.get() {
                case .http1(let parts, let user):
                    await HTTP1Channel(responder: responder(for: user)).handle(value: parts, logger: logger)
                case .upgraded(let session):
                    await session.run()
                }
            }
        } catch {
            logger.debug("a connection ended before its first request", metadata: ["error": "\(error)"])
            try? await accepted.channel.close()
        }
    }

    private func responder(for user: User?) -> HTTPChannelHandler.Responder {
        { request, writer, channel in try await handler.respond(to: request, writer, channel, certificate: user) }
    }

    private func http1(_ channel: any Channel, _ user: User?) throws -> EventLoopFuture<First> {
        let decision = Upgrader.Decision()
        let upgraders = Upgrade.protocols.map { name in
            Upgrader(supportedProtocol: name, decision: decision)
        }
        var configuration = NIOUpgradableHTTPServerPipelineConfiguration<First>(
            upgradeConfiguration: .init(upgraders: upgraders) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: true))
                    try channel.pipeline.syncOperations.addHandler(
                        HTTPConnectionStateHandler(idleTimeout: nil, logger: logger))
                    let parts = try HTTP1Parts(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                    return .http1(parts, user)
                }
            })
        configuration.enablePipelining = false
        configuration.enableErrorHandling = false
        configuration.enableResponseHeaderValidation = false
        let pipeline = channel.pipeline.syncOperations
        let first = try pipeline.configureUpgradableHTTPServerPipeline(configuration: configuration)
        try pipeline.addHandler(
            UpgradeGate(handler: handler, certificate: user, decision: decision),
            position: .before(try pipeline.handler(type: NIOTypedHTTPServerUpgradeHandler<First>.self)))
        return first
    }
}
