import Addresses
import Glibc
import Linux
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Networking

/// The name servers of the host, and those who pretend to be one.
@Suite(.timeLimit(.minutes(2))) struct HostNameServersTests {
    private static func query(_ name: String, id: UInt16 = 7) -> [UInt8] {
        var message = DNSMessage(id: id)
        message.recursionDesired = true
        message.question = DNSMessage.Question(
            name: name.split(separator: ".").map(String.init), type: DNSMessage.RecordType.a)
        return message.encoded()
    }

    private static func answer(_ query: [UInt8], _ address: String) -> [UInt8] {
        guard let decoded = try? DNSMessage(decoding: query), let question = decoded.question else { return [] }
        var message = DNSMessage(answering: decoded)
        message.answers = [DNSMessage.Record(name: question.name, ttl: 1, value: .a(address))]
        return message.encoded()
    }

    private static func sockets(_ count: Int) throws -> [SharedDescriptor] {
        try (0..<count).map { _ in
            SharedDescriptor(try makeSocket(domain: AF_INET, type: Int32(SOCK_DGRAM.rawValue)))
        }
    }

    @Test func answersComeWithTheQuerysOwnId() async throws {
        let server = try await FakeNameServer.start { [Self.answer($0, "192.0.2.1")] }
        let servers = HostNameServers(
            sockets: try Self.sockets(1), servers: [server.place], patience: .seconds(30))
        let reply = try await servers.resolve(Self.query("example.com", id: 0x1234))
        #expect(Array(reply.prefix(2)) == [0x12, 0x34])
        #expect(DNSMessage.addresses(in: reply).map(\.value) == [.a("192.0.2.1")])
        await server.stop()
    }

    /// A forger who knows the port still has to guess the id, and must repeat the question.
    @Test(arguments: ["id", "question", "type", "query", "short", "nothing"])
    func whatIsNoAnswerIsPassedOver(_ fault: String) async throws {
        let server = try await FakeNameServer.start { query in
            var forged = Self.answer(query, "203.0.113.66")
            switch fault {
            case "id": forged[0] ^= 1
            case "question":
                forged = Array(query.prefix(2)) + Self.answer(Self.query("evil.com"), "203.0.113.66").dropFirst(2)
            case "type": forged[query.count - 3] = 28
            case "query": forged[2] &= 0x7F
            case "short": forged = Array(forged.prefix(11))
            default: forged = []
            }
            return [forged, Self.answer(query, "192.0.2.1")]
        }
        let servers = HostNameServers(
            sockets: try Self.sockets(1), servers: [server.place], patience: .seconds(30))
        for _ in 0..<20 {
            let reply = try await servers.resolve(Self.query("example.com"))
            #expect(DNSMessage.addresses(in: reply).map(\.value) == [.a("192.0.2.1")])
        }
        await server.stop()
    }

    /// Datagrams from anybody but the server that was asked do not even arrive.
    @Test func onlyTheServerThatWasAskedCanAnswer() async throws {
        let forger = try await FakeNameServer.start { _ in [] }
        let server = try await FakeNameServer.start(delay: .milliseconds(100)) { [Self.answer($0, "192.0.2.1")] }
        server.whenAsked { query, client in forger.send(Self.answer(query, "203.0.113.66"), to: client) }
        let servers = HostNameServers(
            sockets: try Self.sockets(1), servers: [server.place], patience: .seconds(30))
        let reply = try await servers.resolve(Self.query("example.com"))
        #expect(DNSMessage.addresses(in: reply).map(\.value) == [.a("192.0.2.1")])
        await server.stop()
        await forger.stop()
    }

    @Test func eachQueryHasAPortAndAnIdOfItsOwn() async throws {
        let server = try await FakeNameServer.start { [Self.answer($0, "192.0.2.1")] }
        let servers = HostNameServers(
            sockets: try Self.sockets(2), servers: [server.place], patience: .seconds(30))
        for _ in 0..<40 { _ = try await servers.resolve(Self.query("example.com", id: 1)) }
        #expect(Set(server.asked.map(\.port)).count > 30)
        #expect(Set(server.asked.map(\.id)).count > 35)
        await server.stop()
    }

    /// However many names are asked for, a bounded number of queries is under way, and the rest is refused at once.
    @Test func queriesAreBounded() async throws {
        let server = try await FakeNameServer.start { _ in [] }
        let servers = HostNameServers(
            sockets: try Self.sockets(2), servers: [server.place], patience: .milliseconds(20))
        let outcomes = await withTaskGroup(of: DNSUpstreamFailure?.self) { group in
            for number in 0..<2000 {
                group.addTask {
                    do throws(DNSUpstreamFailure) {
                        _ = try await servers.resolve(Self.query("n\(number).example.com"))
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: [:]) { counts, failure in counts[failure, default: 0] += 1 }
        }
        #expect(outcomes[nil] == nil)
        #expect((outcomes[.unanswered] ?? 0) >= 2 + SocketPool.maxWaiting)
        #expect((outcomes[.overloaded] ?? 0) > 0)
        await server.stop()
    }

    @Test func aServerThatIsNotThereIsPassedOver() async throws {
        let gone = try await FakeNameServer.start { _ in [] }
        await gone.stop()
        let server = try await FakeNameServer.start { [Self.answer($0, "192.0.2.1")] }
        let servers = HostNameServers(sockets: try Self.sockets(1), servers: [gone.place, server.place])
        #expect(try await servers.resolve(Self.query("example.com")).count > 12)
        await server.stop()
        let nobody = HostNameServers(sockets: try Self.sockets(1), servers: [])
        await #expect(throws: DNSUpstreamFailure.unanswered) { try await nobody.resolve(Self.query("example.com")) }
        await #expect(throws: DNSUpstreamFailure.unanswered) { try await servers.resolve([1, 2, 3]) }
    }

    /// One pod that asks for many names leaves some for the others.
    @Test func oneClientHasAShare() async throws {
        let limits = ForwardLimits(max: 4, perClient: 2)
        func isServed(_ client: String) async -> Bool {
            do {
                try await limits.run(for: client) { () throws(DNSUpstreamFailure) in }
                return true
            } catch {
                return false
            }
        }
        try await limits.run(for: "10.244.1.2") { () throws(DNSUpstreamFailure) in
            try await limits.run(for: "10.244.1.2") { () throws(DNSUpstreamFailure) in
                #expect(await !isServed("10.244.1.2"))
                #expect(await isServed("10.244.1.3"))
                try await limits.run(for: "10.244.1.4") { () throws(DNSUpstreamFailure) in
                    try await limits.run(for: "10.244.1.4") { () throws(DNSUpstreamFailure) in
                        #expect(await !isServed("10.244.1.3"), "too many in all")
                    }
                }
            }
        }
        #expect(await isServed("10.244.1.2"))
    }
}

/// A name server at a port of loopback that answers as a test says.
private final class FakeNameServer: Sendable {
    private final class State: Sendable {
        let asked = Mutex<[(id: UInt16, port: Int)]>([])
        let watcher = Mutex<(@Sendable ([UInt8], SocketAddress) -> Void)?>(nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let state: State
        let delay: TimeAmount
        let answers: @Sendable ([UInt8]) -> [[UInt8]]

        init(_ state: State, _ delay: TimeAmount, _ answers: @escaping @Sendable ([UInt8]) -> [[UInt8]]) {
            self.state = state
            self.delay = delay
            self.answers = answers
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            let query = Array(envelope.data.readableBytesView)
            guard query.count >= 2 else { return }
            let id = UInt16(query[0]) << 8 | UInt16(query[1])
            state.asked.withLock { $0.append((id, envelope.remoteAddress.port ?? 0)) }
            state.watcher.withLock { $0 }?(query, envelope.remoteAddress)
            let (channel, replies, client) = (context.channel, answers(query), envelope.remoteAddress)
            context.eventLoop.scheduleTask(in: delay) {
                for reply in replies {
                    channel.writeAndFlush(
                        AddressedEnvelope(remoteAddress: client, data: ByteBuffer(bytes: reply)), promise: nil)
                }
            }
        }
    }

    private let channel: any Channel
    private let state: State
    let place: HostNameServers.Server

    static func start(
        delay: TimeAmount = .zero, _ answers: @escaping @Sendable ([UInt8]) -> [[UInt8]]
    ) async throws -> FakeNameServer {
        let state = State()
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(state, delay, answers))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FakeNameServer(channel, state, port: try #require(channel.localAddress?.port))
    }

    private init(_ channel: any Channel, _ state: State, port: Int) {
        self.channel = channel
        self.state = state
        place = HostNameServers.Server(address: IPv4Address(0x7F00_0001), port: UInt16(port))
    }

    var asked: [(id: UInt16, port: Int)] { state.asked.withLock { $0 } }

    func whenAsked(_ watcher: @escaping @Sendable ([UInt8], SocketAddress) -> Void) {
        state.watcher.withLock { $0 = watcher }
    }

    func send(_ bytes: [UInt8], to client: SocketAddress) {
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: client, data: ByteBuffer(bytes: bytes)), promise: nil)
    }

    func stop() async { try? await channel.close() }
}
