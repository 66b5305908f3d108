import KubernetesModel
import NIOCore
import NIOPosix

/// One side of a connection that carries one session. The connection closes with `close`, or when nobody has the
/// session any more.
public final class StreamSession: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<FrameHandler>

    private init(_ channel: any Channel, _ handler: NIOLoopBound<FrameHandler>) {
        self.channel = channel
        self.handler = handler
    }

    deinit { channel.close(promise: nil) }

    /// Makes a session of a connected channel. On its event loop.
    static func make(on channel: any Channel) throws -> StreamSession {
        let handler = FrameHandler()
        try channel.pipeline.syncOperations.addHandler(handler)
        return StreamSession(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
    }

    /// Asks the node agent behind a Unix socket for a stream.
    ///
    /// - Throws: the agent's `Status` where it refuses; `ServiceUnavailable` where it cannot be reached.
    public static func open(socket: String, _ request: StreamRequest) async throws -> StreamSession {
        let session: StreamSession
        do {
            session = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.autoRead, value: false)
                .connect(unixDomainSocketPath: socket) { channel in
                    channel.eventLoop.makeCompletedFuture { try make(on: channel) }
                }
        } catch {
            throw Status.serviceUnavailable("the node agent does not answer at \(socket): \(error)")
        }
        try await session.send(StreamFrame(.request, request.json))
        guard let answer = try await session.next(), answer.channel == .response else {
            throw StreamFault("the node agent at \(socket) did not answer a request")
        }
        if let status = Status(try answer.json()) { throw status }
        return session
    }

    /// The next frame from the other side; nil when it has closed the connection. One task reads. Where that is
    /// cancelled nothing is lost: another may read on.
    public func next() async throws -> StreamFrame? {
        let wait = FrameHandler.Wait(channel.eventLoop.makePromise(of: StreamFrame?.self))
        return try await withTaskCancellationHandler {
            channel.eventLoop.execute { [handler] in handler.value.next(wait) }
            return try await wait.promise.futureResult.get()
        } onCancel: {
            wait.isCancelled.withLock { $0 = true }
            channel.eventLoop.execute { [handler] in handler.value.cancel(wait) }
        }
    }

    /// Sends a frame, and returns when it has been handed to the system. Any task may send.
    public func send(_ frame: StreamFrame) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: frame.encoded)).get()
    }

    /// Sends bytes on a channel, in as many frames as they need.
    public func send(_ channel: StreamChannel, _ bytes: some Collection<UInt8>) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(StreamFrame.largestPayload)
            rest = rest.dropFirst(part.count)
            try await send(StreamFrame(channel, Array(part)))
        }
    }

    /// Sends no more, and closes when the other side has done so too.
    ///
    /// The system throws away what was sent but not read when a socket closes with something unread in it; so what the
    /// other side still sends is read, for a while.
    public func finish() async {
        guard (try? await channel.close(mode: .output).get()) != nil else { return await close() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { while (try? await self.next()) != nil {} }
            group.addTask { try? await Task.sleep(for: .seconds(5)) }
            await group.next()
            group.cancelAll()
        }
        await close()
    }

    public func close() async {
        try? await channel.close().get()
    }
}
