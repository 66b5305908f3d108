import HTTPTypes
import NIOCore
import NIOHTTP1

/// The other protocol of a connection after `101 Switching Protocols`.
struct Upgrade: Sendable {
    /// The protocols to which a connection may be upgraded.
    static let protocols = ["SPDY/3.1", "websocket"]

    /// Serves the connection after the upgrade; returns when the session and the connection have ended.
    struct Session: Sendable {
        let run: @Sendable () async -> Void

        init(run: @escaping @Sendable () async -> Void) { self.run = run }
    }

    /// The response's headers besides `Connection` and `Upgrade`.
    let headers: HTTPHeaders
    /// Adds the protocol's handlers. Called on the connection's event loop after the response was sent.
    let start: @Sendable (any Channel) -> EventLoopFuture<Session>

    init(headers: HTTPHeaders = [:], start: @escaping @Sendable (any Channel) -> EventLoopFuture<Session>) {
        self.headers = headers
        self.start = start
    }

    /// An upgrade to a protocol of raw bytes.
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

extension HTTPField.Name {
    /// Where `UpgradeGate` keeps the `Upgrade` header of a request whose upgrade was refused.
    static let refusedUpgrade = HTTPField.Name("X-Refused-Upgrade")!  // a constant token, so the name is valid
}
