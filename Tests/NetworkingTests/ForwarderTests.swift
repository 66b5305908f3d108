import Addresses
import Glibc
import KubernetesModel
import Linux
import NIOCore
import NIOPosix
import Testing

@testable import Networking

@Suite(.timeLimit(.minutes(2))) struct ForwarderTests {
    /// A listening socket on loopback and its port; one with `isDead` refuses connections and keeps others off its port.
    private func listener(
        _ type: __socket_type = SOCK_STREAM, isDead: Bool = false
    ) throws -> (descriptor: SharedDescriptor, port: Int) {
        let descriptor = try makeSocket(domain: AF_INET, type: Int32(type.rawValue))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = descriptor.withRawValue { number in
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, length) == 0
                        && (isDead || type != SOCK_STREAM || listen(number, 16) == 0)
                        && getsockname(number, $0, &length) == 0
                }
            }
        }
        try #require(bound)
        return (SharedDescriptor(descriptor), Int(UInt16(bigEndian: address.sin_port)))
    }

    @Test func carriesAConnectionPastADeadEndpoint() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let echo = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let dead = try listener(isDead: true)
        defer { dead.descriptor.close() }
        let front = try listener()
        let backends = [dead.port, try #require(echo.localAddress?.port)].map {
            Balancer.Backend(address: AddressPlan.loopback, port: $0)
        }
        let forwarder = try Forwarder(
            .stream, descriptor: front.descriptor, balancer: Balancer(backends: backends, affinityTimeout: nil))
        for _ in 0..<4 {
            let client = try await ClientBootstrap(group: loop)
                .connect(host: "127.0.0.1", port: front.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true))
                    }
                }
            let answer = try await client.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "hello"))
                outbound.finish()
                var received = ""
                for try await part in inbound { received += String(buffer: part) }
                return received
            }
            #expect(answer == "hello")
        }
        await forwarder.stop()
        try await echo.close()
    }

    private func frontend(_ port: Int, _ backends: [Balancer.Backend], transport: String = "TCP") -> HostListener {
        HostListener(
            address: HostAddress(address: "127.0.0.1", port: port, transport: transport),
            service: ObjectKey(namespace: "default", name: "web"), backends: backends, affinityTimeout: nil)
    }

    /// Connects to loopback and waits no longer than some seconds for what is received.
    private static func connection(_ type: __socket_type, _ port: Int) throws -> SharedDescriptor {
        let descriptor = try makeSocket(domain: AF_INET, type: Int32(type.rawValue))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let connected = descriptor.withRawValue { number in
            setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
        try #require(connected)
        return SharedDescriptor(descriptor)
    }

    /// Sends a text and returns the answer.
    private func ask(_ descriptor: SharedDescriptor, _ text: String) async throws -> String? {
        try await Blocking.run { () throws(SystemError) in
            try descriptor.withRawValue { number in
                guard send(number, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count else { return nil }
                var buffer = [UInt8](repeating: 0, count: 100)
                let count = recv(number, &buffer, buffer.count, 0)
                return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
            }
        }
    }

    @Test func aConnectionToAnEndpointThatEndsGoesOn() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let echo = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let front = try listener()
        let backends = [Balancer.Backend(address: AddressPlan.loopback, port: try #require(echo.localAddress?.port))]
        let forwarder = try Forwarder(
            .stream, descriptor: front.descriptor, balancer: Balancer(backends: backends, affinityTimeout: nil))
        let client = try Self.connection(SOCK_STREAM, front.port)
        defer { client.close() }
        #expect(try await ask(client, "before") == "before")
        // The endpoint is Terminating, so that it is no more among those that take traffic.
        await forwarder.update(frontend(front.port, []))
        #expect(try await ask(client, "after") == "after")
        let late = try Self.connection(SOCK_STREAM, front.port)
        defer { late.close() }
        #expect(try await ask(late, "late") != "late")
        // Nor does it end with the Service.
        await forwarder.stop()
        #expect(try await ask(client, "still") == "still")
        try await echo.close()
    }

    @Test func aClientOfDatagramsGetsAnotherEndpointWhenItsOwnGoes() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var servers: [any Channel] = []
        for name in ["one", "two"] {
            servers.append(
                try await DatagramBootstrap(group: loop)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(Named(name))
                        }
                    }
                    .bind(host: "127.0.0.1", port: 0).get())
        }
        let backends = try servers.map {
            Balancer.Backend(address: AddressPlan.loopback, port: try #require($0.localAddress?.port))
        }
        let front = try listener(SOCK_DGRAM)
        let forwarder = try Forwarder(
            .datagram, descriptor: front.descriptor, balancer: Balancer(backends: backends, affinityTimeout: nil))
        let client = try Self.connection(SOCK_DGRAM, front.port)
        defer { client.close() }
        let first = try #require(try await ask(client, "?"))
        #expect(try await ask(client, "?") == first, "one client stays with one endpoint")
        await forwarder.update(frontend(front.port, [first == "one" ? backends[1] : backends[0]], transport: "UDP"))
        #expect(try await ask(client, "?") == (first == "one" ? "two" : "one"))
        await forwarder.stop()
        for server in servers { try await server.close() }
    }

    /// Answers each datagram with its own name.
    private final class Named: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        private let name: String

        init(_ name: String) { self.name = name }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let answer = AddressedEnvelope(
                remoteAddress: unwrapInboundIn(data).remoteAddress, data: ByteBuffer(string: name))
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }
    }

    /// Sends back what it receives.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
    }
}
