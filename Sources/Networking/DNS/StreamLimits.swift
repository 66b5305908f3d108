import NIOCore
import Synchronization

/// How many clients may have a TCP connection to the name server, and for how long one may say nothing.
final class StreamLimits: Sendable {
    struct TooMany: Error {}

    static let idle = TimeAmount.seconds(30)

    private let max: Int
    private let count = Mutex(0)

    init(max: Int = 256) { self.max = max }

    func admit(_ channel: any Channel) throws(TooMany) {
        let isAdmitted = count.withLock { count in
            guard count < max else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { throw TooMany() }
        channel.closeFuture.whenComplete { _ in self.count.withLock { $0 -= 1 } }
    }
}

/// Closes a connection at which nothing happens.
final class CloseWhenIdle: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
