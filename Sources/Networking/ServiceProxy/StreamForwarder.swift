import Glibc
import Linux
import NIOCore
import NIOPosix

/// Accepts connections at one host address and carries each to an endpoint.
final class StreamForwarder: Sendable {
    private let channel: any Channel
    private let balancer: NIOLoopBoundBox<Balancer>

    /// - Parameter descriptor: a listening socket; the forwarder has a descriptor of its own for it.
    static func start(
        descriptor: SharedDescriptor, balancer: Balancer, on loop: any EventLoop
    ) async throws -> StreamForwarder {
        let box = try await loop.submit { NIOLoopBoundBox(balancer, eventLoop: loop) }.get()
        let channel = try await ServerBootstrap(group: loop)
            // What is accepted is read only once it has an endpoint to go to.
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { client in
                let address = client.remoteAddress?.ipAddress ?? ""
                let backends = box.value.choose(client: address, now: .now)
                return client.eventLoop.makeCompletedFuture {
                    let near = GlueHandler()
                    try client.pipeline.syncOperations.addHandler(near)
                    Self.connect(client, NIOLoopBound(near, eventLoop: client.eventLoop), backends[...])
                }
            }
            .withBoundSocket(try descriptor.duplicate().release()).get()
        return StreamForwarder(channel: channel, balancer: box)
    }

    private init(channel: any Channel, balancer: NIOLoopBoundBox<Balancer>) {
        self.channel = channel
        self.balancer = balancer
    }

    /// Affects new connections only; those that are open go on.
    func update(_ listener: HostListener) {
        let balancer = balancer
        channel.eventLoop.execute {
            balancer.value.update(backends: listener.backends, affinityTimeout: listener.affinityTimeout)
        }
    }

    /// Accepts no more; open connections go on.
    func stop() async { try? await channel.close() }

    /// Tries the endpoints one after another; a client for whom there is none is reset.
    private static func connect(
        _ client: any Channel, _ near: NIOLoopBound<GlueHandler>, _ backends: ArraySlice<Balancer.Backend>
    ) {
        guard let backend = backends.first else {
            // Lingering zero makes the close a reset: the client shall see a refusal, not an empty answer.
            let lingering = (client as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            (lingering ?? client.eventLoop.makeSucceededVoidFuture()).whenComplete { _ in client.close(promise: nil) }
            return
        }
        let connected = ClientBootstrap(group: client.eventLoop)
            .connectTimeout(.seconds(2))
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: backend.address, port: backend.port)
        connected.whenComplete { result in
            switch result {
            case .failure: connect(client, near, backends.dropFirst())
            case .success(let server):
                do {
                    let far = GlueHandler()
                    try server.pipeline.syncOperations.addHandler(far)
                    GlueHandler.join(near.value, far)
                    for channel in [client, server] {
                        channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
                    }
                } catch {
                    client.close(promise: nil)
                    server.close(promise: nil)
                }
            }
        }
    }
}
