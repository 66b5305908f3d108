import NIOCore

/// Joins two channels: what one receives the other sends, with back-pressure, and each direction ends by itself.
///
/// A channel may receive before it has a partner, also without `autoRead` (an end of input makes NIO read the rest);
/// that waits here.
final class GlueHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    // Both ends run on one event loop, and each lets go of the other when it is removed.
    private var partner: GlueHandler?
    private var context: ChannelHandlerContext?
    private var readIsPending = false
    private var received: [NIOAny] = []
    private var inputHasEnded = false

    /// Joins two handlers that are in their channels' pipelines.
    static func join(_ first: GlueHandler, _ second: GlueHandler) {
        first.partner = second
        second.partner = first
        first.passOn()
        second.passOn()
    }

    private func passOn() {
        for data in received { partner?.context?.write(data, promise: nil) }
        received = []
        partner?.context?.flush()
        if inputHasEnded { partner?.context?.close(mode: .output, promise: nil) }
        if context == nil { partner?.context?.close(promise: nil) }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let partner { partner.context?.write(data, promise: nil) } else { received.append(data) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.context?.flush()
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        partner?.context?.close(promise: nil)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputHasEnded = true
            partner?.context?.close(mode: .output, promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if partner?.context?.channel.isWritable ?? false { context.read() } else { readIsPending = true }
    }

    private func resumeReading() {
        guard readIsPending else { return }
        readIsPending = false
        context?.read()
    }
}
