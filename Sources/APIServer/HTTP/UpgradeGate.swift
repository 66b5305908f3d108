import NIOCore
import NIOHTTP1

/// Where an HTTP/1.1 connection becomes what one of its requests asks for, be it the first or a later one.
///
/// The request goes up like any other, and is answered where its upgrade is refused. One that is granted is the last of
/// its connection: `start` takes HTTP's codec away and puts the other protocol's handlers behind the gate. Those of HTTP
/// stay above them with a request that never ends, and see no byte more. Everything here runs on the connection's event
/// loop.
final class UpgradeGate: ChannelInboundHandler {
    /// Once HTTP's codec is gone.
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case http
        /// What the client sends behind its request waits for the other protocol's handlers.
        case switching([NIOAny])
        case upgraded
    }

    private var state = State.http
    private let encoder: HTTPResponseEncoder
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>

    init(_ encoder: HTTPResponseEncoder, _ decoder: ByteToMessageHandler<HTTPRequestDecoder>) {
        self.encoder = encoder
        self.decoder = decoder
    }

    /// The handlers of an HTTP/1.1 connection up to its gate.
    static func handlers() -> [any ChannelHandler] {
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        return [encoder, decoder, UpgradeGate(encoder, decoder)]
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .switching(let waiting) = state {
            state = .switching(waiting + [data])
        } else {
            context.fireChannelRead(data)
        }
    }

    /// Answers the request at hand with `101 Switching Protocols`.
    ///
    /// - Returns: the session, which is to be run; the connection is to be closed after it.
    static func start(
        _ upgrade: Upgrade, to protocolName: String, on channel: any Channel
    ) async throws -> Upgrade.Session {
        try await channel.eventLoop.flatSubmit {
            do {
                let context = try channel.pipeline.syncOperations.context(handlerType: UpgradeGate.self)
                guard let gate = context.handler as? UpgradeGate else {
                    throw ChannelError.inappropriateOperationForState
                }
                return try gate.start(upgrade, to: protocolName, context)
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }.get()
    }

    private func start(
        _ upgrade: Upgrade, to protocolName: String, _ context: ChannelHandlerContext
    ) throws -> EventLoopFuture<Upgrade.Session> {
        guard case .http = state else { throw ChannelError.inappropriateOperationForState }
        state = .switching([])
        var headers = upgrade.headers
        headers.replaceOrAdd(name: "Connection", value: "Upgrade")
        headers.replaceOrAdd(name: "Upgrade", value: protocolName)
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // What the decoder has left comes to the gate.
        return context.pipeline.syncOperations.removeHandler(decoder).flatMap {
            let (gate, context) = bound.value
            return context.writeAndFlush(gate.wrapOutboundOut(.head(head)))
        }.flatMap {
            let (gate, context) = bound.value
            return context.pipeline.syncOperations.removeHandler(gate.encoder)
        }.flatMapThrowing {
            let (gate, context) = bound.value
            let session = try upgrade.start(context.pipeline.syncOperations, gate)
            guard case .switching(let waiting) = gate.state else { return session }
            gate.state = .upgraded
            for data in waiting { context.fireChannelRead(data) }
            if !waiting.isEmpty { context.fireChannelReadComplete() }
            return session
        }
    }
}
