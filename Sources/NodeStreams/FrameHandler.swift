import DequeModule
import NIOCore
import Synchronization

/// A connection's frames, read from the socket only when someone waits for the next.
///
/// Everything here runs on the connection's event loop.
final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// One call of `next`: whether its task was cancelled, perhaps before it got here.
    final class Wait: Sendable {
        let promise: EventLoopPromise<StreamFrame?>
        let isCancelled = Mutex(false)

        init(_ promise: EventLoopPromise<StreamFrame?>) { self.promise = promise }
    }

    private var parser = StreamFrameParser()
    private var frames: Deque<StreamFrame> = []
    private var waiter: Wait?
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
    func next(_ wait: Wait) {
        precondition(waiter == nil, "a session is read by one task")
        if wait.isCancelled.withLock({ $0 }) { return wait.promise.fail(CancellationError()) }
        waiter = wait
        answer()
        if waiter != nil { context?.read() }
    }

    /// Gives up a call of `next` that waits still.
    func cancel(_ wait: Wait) {
        guard waiter === wait else { return }
        waiter = nil
        wait.promise.fail(CancellationError())
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
            waiter.promise.succeed(frame)
        } else if isEnded {
            self.waiter = nil
            if let failure { waiter.promise.fail(failure) } else { waiter.promise.succeed(nil) }
        }
    }
}
