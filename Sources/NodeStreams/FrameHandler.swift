import DequeModule
import NIOCore

/// A connection's frames, read from the socket only when someone waits for the next.
///
/// Everything here runs on the connection's event loop.
final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias Waiter = EventLoopPromise<StreamFrame?>

    private var parser = StreamFrameParser()
    private var frames: Deque<StreamFrame> = []
    private var waiter: Waiter?
    private var context: ChannelHandlerContext?
    private var failure: (any Error)?
    private var isEnded = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end(nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        parser.feed(unwrapInboundIn(data).readableBytesView)
        do {
            while let frame = try parser.next() { frames.append(frame) }
        } catch {
            end(error)
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        answer()
        if waiter != nil { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(parser.isWithinFrame ? StreamFault("the connection ended within a frame") : nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(error)
        context.close(promise: nil)
    }

    /// Completes with the next frame, nil at the end.
    func next(_ promise: Waiter) {
        precondition(waiter == nil, "a session is read by one task")
        waiter = promise
        answer()
        if waiter != nil { context?.read() }
    }

    private func end(_ error: (any Error)?) {
        if !isEnded {
            isEnded = true
            failure = error
        }
        answer()
    }

    private func answer() {
        guard let waiter else { return }
        if let frame = frames.popFirst() {
            self.waiter = nil
            waiter.succeed(frame)
        } else if isEnded {
            self.waiter = nil
            if let failure { waiter.fail(failure) } else { waiter.succeed(nil) }
        }
    }
}
