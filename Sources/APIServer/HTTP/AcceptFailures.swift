import Glibc
import Logging
import NIOCore

/// Lets a listening socket outlive that a connection cannot be accepted, as for want of descriptors: it pauses, and
/// those who wait are accepted later.
final class AcceptFailures: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let passing = [EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED]

    private let logger: Logger
    private var isPaused = false

    init(_ logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let failure = error as? IOError, Self.passing.contains(failure.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        guard failure.errnoCode != ECONNABORTED, !isPaused else { return }
        isPaused = true
        logger.warning("a connection cannot be accepted: \(failure)")
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(100)) {
            let (handler, context) = bound.value
            handler.isPaused = false
            context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
        }
    }
}
