import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Asks the pipeline whether a connection's first request may be upgraded, before NIO's upgrade handler sees it.
///
/// That handler loses a request whose upgrade is refused, so one that is not granted goes on without its `Upgrade`
/// header, and is answered as any other. The header's value moves to `X-Refused-Upgrade`, so that the response can say
/// why. Everything here runs on the connection's event loop.
final class UpgradeGate: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case first
        /// The parts after the head wait for the decision.
        case deciding([NIOAny])
        case passing
    }

    private var state = State.first
    private var wantsMore = false
    private let handler: RequestHandler
    private let client: RequestHandler.Client
    private let decision: Upgrader.Decision

    init(handler: RequestHandler, client: RequestHandler.Client, decision: Upgrader.Decision) {
        self.handler = handler
        self.client = client
        self.decision = decision
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .passing: context.fireChannelRead(data)
        case .deciding(let parts): state = .deciding(parts + [data])
        case .first:
            guard case .head(let head) = unwrapInboundIn(data), let wanted = head.headers["upgrade"].first else {
                state = .passing
                context.fireChannelRead(data)
                return
            }
            state = .deciding([])
            decide(head, wanted: wanted, context)
        }
    }

    /// Nothing more is read while the decision is made: what waits for it is no more than what has come by then.
    func read(context: ChannelHandlerContext) {
        if case .deciding = state { wantsMore = true } else { context.read() }
    }

    /// A first request that is none is answered, and not waited for until its time is over.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .first = state, error is HTTPParserError else { return context.fireErrorCaught(error) }
        let head = HTTPResponseHead(
            version: .http1_1, status: .badRequest, headers: ["Connection": "close", "Content-Length": "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil) }
    }

    private func decide(_ head: HTTPRequestHead, wanted: String, _ context: ChannelHandlerContext) {
        let protocolName = Upgrade.protocols.first { $0.lowercased() == wanted.lowercased() }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.makeFutureWithTask { [handler, client] () -> Upgrade? in
            guard let protocolName else { return nil }
            return await handler.upgrade(
                method: head.method.rawValue, target: head.uri, headers: HTTPFields(head.headers, splitCookie: false),
                to: protocolName, client)
        }.whenSuccess { upgrade in
            let (gate, context) = bound.value
            gate.decision.upgrade.withLock { $0 = upgrade }
            var head = head
            if upgrade == nil {
                head.headers.remove(name: "upgrade")
                head.headers.replaceOrAdd(name: HTTPField.Name.refusedUpgrade.canonicalName, value: wanted)
            }
            gate.pass(head, context)
        }
    }

    private func pass(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard case .deciding(let parts) = state else { return }
        state = .passing
        context.fireChannelRead(wrapInboundOut(.head(head)))
        for part in parts { context.fireChannelRead(part) }
        context.fireChannelReadComplete()
        if wantsMore { context.read() }
    }
}
