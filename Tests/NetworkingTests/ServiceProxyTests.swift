import Glibc
import KubernetesModel
import NIOCore
import NIOPosix
import Testing

@testable import Networking

struct BalancerTests {
    private static let three = (1...3).map { Balancer.Backend(address: "10.244.1.\($0)", port: 80) }

    @Test func takesEndpointsInTurn() {
        var balancer = Balancer(backends: Self.three, affinityTimeout: nil)
        let first = (0..<6).compactMap { _ in balancer.choose(client: "127.0.0.1", now: .now).first }
        #expect(Dictionary(grouping: first) { $0 }.values.allSatisfy { $0.count == 2 })
    }

    @Test func offersAllEndpointsInCaseOneIsGone() {
        var balancer = Balancer(backends: Self.three, affinityTimeout: nil)
        #expect(Set(balancer.choose(client: "127.0.0.1", now: .now)) == Set(Self.three))
    }

    @Test func keepsAClientWithItsEndpointUntilTheTimeout() {
        var balancer = Balancer(backends: Self.three, affinityTimeout: .seconds(10))
        let begin = ContinuousClock.now
        let chosen = balancer.choose(client: "a", now: begin)[0]
        #expect(balancer.choose(client: "b", now: begin)[0] != chosen)
        #expect(balancer.choose(client: "a", now: begin + .seconds(9))[0] == chosen)
        #expect(balancer.choose(client: "a", now: begin + .seconds(18))[0] == chosen)
        balancer.update(backends: Self.three.filter { $0 != chosen }, affinityTimeout: .seconds(10))
        #expect(balancer.choose(client: "a", now: begin + .seconds(19))[0] != chosen)
    }
}

struct HostListenerTests {
    private func service(_ type: String) -> Service {
        var object = Object(.services, namespace: "default", name: "web")
        object.spec = [
            "type": .string(type),
            "ports": [["name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080, "nodePort": 30080]],
        ]
        if type == "LoadBalancer" { object.status = ["loadBalancer": ["ingress": [["ip": "127.16.0.1"]]]] }
        return Service(object)
    }

    private func slice(_ endpoints: [(address: String, ready: Bool, serving: Bool, terminating: Bool)]) -> EndpointSlice
    {
        var object = Object(.endpointSlices, namespace: "default", name: "web-1")
        object["addressType"] = "IPv4"
        object["ports"] = [["name": "http", "protocol": "TCP", "port": 8080]]
        object["endpoints"] = .array(
            endpoints.map {
                [
                    "addresses": [.string($0.address)],
                    "conditions": [
                        "ready": .bool($0.ready), "serving": .bool($0.serving), "terminating": .bool($0.terminating),
                    ],
                ]
            })
        return EndpointSlice(object)
    }

    @Test(arguments: [
        ("ClusterIP", [String]()), ("NodePort", ["127.0.0.1:30080/TCP"]),
        ("LoadBalancer", ["127.16.0.1:80/TCP", "127.0.0.1:30080/TCP"]),
    ])
    func listensByTheServicesType(type: String, addresses: [String]) {
        let listeners = HostListener.of(service(type), slices: [])
        #expect(listeners.map(\.address.description) == addresses)
    }

    @Test func sendsToReadyEndpointsOnly() {
        let slice = slice([
            ("10.0.0.1", true, true, false), ("10.0.0.2", false, true, true), ("10.0.0.3", false, false, false),
        ])
        #expect(HostListener.of(service("NodePort"), slices: [slice])[0].backends.map(\.address) == ["10.0.0.1"])
    }

    @Test func sendsToEndingEndpointsWhereNoneIsReady() {
        let slice = slice([("10.0.0.2", false, true, true), ("10.0.0.3", false, false, true)])
        #expect(HostListener.of(service("NodePort"), slices: [slice])[0].backends.map(\.address) == ["10.0.0.2"])
    }
}

struct StreamForwarderTests {
    /// A listening socket on loopback and its port.
    private func listener() throws -> (descriptor: CInt, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(bound)
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    @Test func carriesAConnectionPastADeadEndpoint() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let echo = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let dead = try listener()
        close(dead.descriptor)
        let front = try listener()
        let backends = [dead.port, try #require(echo.localAddress?.port)].map {
            Balancer.Backend(address: "127.0.0.1", port: $0)
        }
        let forwarder = try await StreamForwarder.start(
            descriptor: front.descriptor, balancer: Balancer(backends: backends, affinityTimeout: nil), on: loop)
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

    /// Sends back what it receives.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
    }
}
