import HTTPTypes
import NIOCore
import NIOHTTP1

/// The other protocol of a connection after `101 Switching Protocols`.
struct Upgrade: Sendable {
    /// The protocols to which a connection may be upgraded.
    static let protocols = ["SPDY/3.1", "websocket"]

    /// Serves the connection after the upgrade; returns when the session has ended.
    struct Session: Sendable {
        let run: @Sendable () async -> Void
    }

    /// The response's headers besides `Connection` and `Upgrade`.
    let headers: HTTPHeaders
    /// Adds the protocol's handlers behind the gate. Called on the connection's event loop after the response was sent.
    let start: @Sendable (ChannelPipeline.SynchronousOperations, any ChannelHandler) throws -> Session

    /// - Parameters:
    ///   - handlers: what makes messages of the connection's bytes, in their order; none for bytes as they come.
    init<Message: Sendable>(
        headers: HTTPHeaders = [:], handlers: @escaping @Sendable () -> [any ChannelHandler] = { [] },
        serve: @escaping @Sendable (UpgradedConnection<Message>) async -> Void
    ) {
        self.headers = headers
        start = { pipeline, gate in
            let messages = MessageHandler<Message>()
            try pipeline.addHandlers(handlers() + [messages], position: .after(gate))
            let connection = UpgradedConnection(messages, pipeline.eventLoop)
            return Session { await serve(connection) }
        }
    }

    /// Whether a request asks for another protocol, so that no other request can follow it on its connection
    /// (RFC 9110, 7.8).
    static func isAsked(by headers: HTTPFields) -> Bool {
        guard headers[.upgrade] != nil, let options = headers[.connection] else { return false }
        return options.lowercased().split { $0 == "," || $0 == " " }.contains("upgrade")
    }

    /// The protocol that a request asks for, if it is one of those that there are.
    static func asked(by headers: HTTPFields) -> String? {
        guard isAsked(by: headers), let wanted = headers[.upgrade]?.lowercased() else { return nil }
        return protocols.first { $0.lowercased() == wanted }
    }
}
