import Linux
import NIOCore
import NIOPosix

/// Receives datagrams at one host address and carries each client's to an endpoint, and the answers back.
final class DatagramForwarder: Sendable {
    private let channel: any Channel
    private let sessions: NIOLoopBoundBox<Sessions>

    /// A client is forgotten when nothing has passed for so long.
    static let idleLimit = TimeAmount.seconds(60)

    /// Each has a socket; a client is whatever address somebody writes as a datagram's sender.
    private static let maxSessions = 4096

    /// The clients of one address, on its event loop.
    final class Sessions {
        struct Session {
            let backend: Balancer.Backend
            let channel: EventLoopFuture<any Channel>
        }

        var balancer: Balancer
        var byClient: [SocketAddress: Session] = [:]

        init(_ balancer: Balancer) { self.balancer = balancer }

        /// A client whose endpoint is one no more gets another with its next datagram: there is no connection to end.
        func update(backends: [Balancer.Backend], affinityTimeout: Duration?) {
            balancer.update(backends: backends, affinityTimeout: affinityTimeout)
            for (client, session) in byClient where !backends.contains(session.backend) {
                byClient[client] = nil
                session.channel.whenSuccess { $0.close(promise: nil) }
            }
        }

        /// Forgets a client, unless it has a new session by now.
        func forget(_ client: SocketAddress, _ channel: EventLoopFuture<any Channel>) {
            if byClient[client]?.channel === channel { byClient[client] = nil }
        }
    }

    static func start(
        descriptor: SharedDescriptor, balancer: Balancer, on loop: any EventLoop
    ) async throws -> DatagramForwarder {
        let box = try await loop.submit { NIOLoopBoundBox(Sessions(balancer), eventLoop: loop) }.get()
        let channel = try await DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ClientSide(sessions: box.value))
                }
            }
            .withBoundSocket(try descriptor.duplicate().release()).get()
        return DatagramForwarder(channel: channel, sessions: box)
    }

    private init(channel: any Channel, sessions: NIOLoopBoundBox<Sessions>) {
        self.channel = channel
        self.sessions = sessions
    }

    func update(_ listener: HostListener) {
        let sessions = sessions
        channel.eventLoop.execute {
            sessions.value.update(backends: listener.backends, affinityTimeout: listener.affinityTimeout)
        }
    }

    func stop() async { try? await channel.close() }

    private final class ClientSide: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let sessions: Sessions

        init(sessions: Sessions) { self.sessions = sessions }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            let client = envelope.remoteAddress
            if let known = sessions.byClient[client] {
                known.channel.whenSuccess { Self.send(envelope.data, over: $0) }
                return
            }
            guard sessions.byClient.count < DatagramForwarder.maxSessions else { return }
            let chosen = sessions.balancer.choose(client: client.ipAddress ?? "", now: .now)
            guard let backend = chosen.first,
                let target = try? SocketAddress(
                    ipAddress: backend.address, port: backend.port)
            else { return }
            let front = context.channel
            let box = NIOLoopBound(sessions, eventLoop: context.eventLoop)
            let session = DatagramBootstrap(group: context.eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            IdleStateHandler(allTimeout: DatagramForwarder.idleLimit))
                        try channel.pipeline.syncOperations.addHandler(ServerSide(front: front, client: client))
                    }
                }
                .connect(to: target)
            sessions.byClient[client] = Sessions.Session(backend: backend, channel: session)
            session.whenComplete { result in
                switch result {
                case .failure: box.value.forget(client, session)
                case .success(let channel):
                    Self.send(envelope.data, over: channel)
                    channel.closeFuture.whenComplete { _ in box.value.forget(client, session) }
                }
            }
        }

        private static func send(_ data: ByteBuffer, over channel: any Channel) {
            guard let remote = channel.remoteAddress else { return }
            channel.writeAndFlush(AddressedEnvelope(remoteAddress: remote, data: data), promise: nil)
        }
    }

    private final class ServerSide: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let front: any Channel
        let client: SocketAddress

        init(front: any Channel, client: SocketAddress) {
            self.front = front
            self.client = client
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let answer = AddressedEnvelope(remoteAddress: client, data: unwrapInboundIn(data).data)
            front.writeAndFlush(answer, promise: nil)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
