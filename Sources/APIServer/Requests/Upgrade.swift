import HTTPTypes
import NIOCore
import NIOHTTP1

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

extension HTTPField.Name {
    /// Where `UpgradeGate` keeps the `Upgrade` header of a request whose upgrade was refused.
    static let refusedUpgrade = HTTPField.Name("X-Refused-Upgrade")!  // a constant token, so the name is valid
}
