import NIOCore

/// A connection after its upgrade: the client's messages, and the way back.
struct UpgradedConnection<Message: Sendable>: Sendable {
    typealias Messages = NIOThrowingAsyncSequenceProducer<
        Message, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark,
        MessageHandler<Message>.Demand
    >

    /// Until the client has closed its side; for one reader, once.
    let messages: Messages
    private let handler: NIOLoopBound<MessageHandler<Message>>

    /// On the event loop of the pipeline that the handler is for.
    init(_ handler: MessageHandler<Message>, _ eventLoop: any EventLoop) {
        self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
        let producer = Messages.makeSequence(
            elementType: Message.self, failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: 2, highWatermark: 10), finishOnDeinit: true,
            delegate: MessageHandler<Message>.Demand(handler: self.handler))
        handler.source = producer.source
        messages = producer.sequence
    }

    /// Sends a message, in the order of calls; the future completes when it has been handed to the system.
    func send(_ message: Message) -> EventLoopFuture<Void> {
        let promise = handler.eventLoop.makePromise(of: Void.self)
        // Also from the event loop itself: an earlier call may be waiting for it.
        handler.eventLoop.execute { [handler] in handler.value.write(message, promise) }
        return promise.futureResult
    }
}

/// The last handler of an upgraded connection's protocol: what is above it belongs to HTTP and gets nothing of it.
///
/// A reader that is slow lets the client wait: no more is read then.
final class MessageHandler<Message: Sendable>: ChannelDuplexHandler {
    typealias InboundIn = Message
    typealias OutboundIn = Never
    typealias OutboundOut = Message

    struct Demand: NIOAsyncSequenceProducerDelegate {
        let handler: NIOLoopBound<MessageHandler<Message>>

        func produceMore() { handler.eventLoop.execute { handler.value.readOn() } }
        func didTerminate() { handler.eventLoop.execute { handler.value.source = nil } }
    }

    fileprivate(set) var source: UpgradedConnection<Message>.Messages.Source?
    private var context: ChannelHandlerContext?
    private var isPaused = false
    private var wantsMore = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        finish()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .stopProducing = source?.yield(contentsOf: CollectionOfOne(unwrapInboundIn(data))) { isPaused = true }
    }

    func read(context: ChannelHandlerContext) { if isPaused { wantsMore = true } else { context.read() } }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { finish() } else { context.fireUserInboundEventTriggered(event) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        source?.finish(error)
        source = nil
    }

    fileprivate func write(_ message: Message, _ promise: EventLoopPromise<Void>) {
        guard let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        context.writeAndFlush(wrapOutboundOut(message), promise: promise)
    }

    private func readOn() {
        isPaused = false
        guard wantsMore else { return }
        wantsMore = false
        context?.read()
    }

    private func finish() {
        source?.finish()
        source = nil
    }
}
