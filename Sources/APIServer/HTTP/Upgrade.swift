import NIOCore
import NIOHTTP1
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

/// Carries out the upgrade that `UpgradeGate` has been granted.
struct Upgrader: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = ConnectionChannel.First

    /// What was granted to a connection's first request.
    final class Decision: Sendable {
        let upgrade = Mutex<Upgrade?>(nil)
    }

    struct Refused: Error {}

    let supportedProtocol: String
    let requiredUpgradeHeaders: [String] = []
    let decision: Decision

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        guard let upgrade = decision.upgrade.withLock({ $0 }) else {
            return channel.eventLoop.makeFailedFuture(Refused())
        }
        var headers = initialResponseHeaders
        headers.replaceOrAdd(name: "connection", value: "Upgrade")
        headers.add(contentsOf: upgrade.headers)
        return channel.eventLoop.makeSucceededFuture(headers)
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        guard let upgrade = decision.upgrade.withLock({ $0 }) else {
            return channel.eventLoop.makeFailedFuture(Refused())
        }
        return upgrade.start(channel).map { .upgraded($0) }
    }
}
