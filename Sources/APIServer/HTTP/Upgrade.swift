import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import Synchronization

/// How a request's connection goes on in another protocol once it has been answered with `101 Switching Protocols`.
struct Upgrade: Sendable {
    /// The protocols that may take a connection over.
    static let protocols = ["SPDY/3.1", "websocket"]

    /// What serves the connection from then on. It returns when the session and the connection have ended.
    struct Session: Sendable {
        let run: @Sendable () async -> Void

        init(run: @escaping @Sendable () async -> Void) { self.run = run }
    }

    /// What the answer says besides `Connection` and `Upgrade`.
    let headers: HTTPHeaders
    /// Called on the connection's event loop after the answer was sent: adds the protocol's handlers.
    let start: @Sendable (any Channel) -> EventLoopFuture<Session>

    init(headers: HTTPHeaders = [:], start: @escaping @Sendable (any Channel) -> EventLoopFuture<Session>) {
        self.headers = headers
        self.start = start
    }

    /// An upgrade to a protocol that is spoken in raw bytes.
    init(
        headers: HTTPHeaders = [:],
        bytes serve: @escaping @Sendable (NIOAsyncChannel<ByteBuffer, ByteBuffer>) async -> Void
    ) {
        self.init(headers: headers) { channel in
            channel.eventLoop.makeCompletedFuture {
                let bytes = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                return Session { await serve(bytes) }
            }
        }
    }
}

/// Asks the pipeline whether a connection's first request may be upgraded. Where it may not, the request goes the way
/// of any other and is answered there with the reason.
struct Upgrader: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = ConnectionChannel.First

    /// The upgrade that was agreed on, between the two calls by which NIO carries it out.
    final class Decision: Sendable {
        let upgrade = Mutex<Upgrade?>(nil)
    }

    struct Refused: Error {}

    let supportedProtocol: String
    let requiredUpgradeHeaders: [String] = []
    let handler: RequestHandler
    let certificate: User?
    let decision: Decision

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        channel.eventLoop.makeFutureWithTask {
            let upgrade = await handler.upgrade(
                method: upgradeRequest.method.rawValue, target: upgradeRequest.uri,
                headers: HTTPFields(upgradeRequest.headers, splitCookie: false), to: supportedProtocol,
                certificate: certificate)
            guard let upgrade else { throw Refused() }
            decision.upgrade.withLock { $0 = upgrade }
            var headers = initialResponseHeaders
            headers.replaceOrAdd(name: "connection", value: "Upgrade")
            headers.add(contentsOf: upgrade.headers)
            return headers
        }
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        guard let upgrade = decision.upgrade.withLock({ $0 }) else {
            return channel.eventLoop.makeFailedFuture(Refused())
        }
        return upgrade.start(channel).map { .upgraded($0) }
    }
}
