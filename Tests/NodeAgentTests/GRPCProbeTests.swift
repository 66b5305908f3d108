import NIOCore
import NIOHPACK
import NIOPosix
import Testing

@testable import NodeAgent

@Suite struct GRPCProbeTests {
    @Test(
        arguments: [
            ([0, 0, 0, 0, 2, 8, 1], 1), ([0, 0, 0, 0, 2, 8, 2], 2), ([0, 0, 0, 0, 0], 0), ([0, 0, 0, 0, 2, 8], nil),
            ([], nil),
        ] as [([UInt8], UInt8?)])
    func theStatusIsReadFromAWholeMessage(bytes: [UInt8], status: UInt8?) {
        #expect(GRPCProbe.status(inMessage: bytes) == status)
    }

    @Test(
        arguments: [
            (
                [("grpc-status", "12"), ("grpc-message", "unknown service grpc.health.v1.Health")],
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
                    + "unknown service grpc.health.v1.Health"
            ),
            (
                [("grpc-status", "5"), ("grpc-message", "unknown%20service%")],
                "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service%"
            ),
            ([("grpc-status", "99")], "error: health rpc probe failed: rpc error: code = Code(99) desc = "),
            ([], "error: health rpc probe failed: unexpected HTTP status code received from server: 200"),
        ] as [([(String, String)], String)])
    func aCallThatFailsSaysWhy(fields: [(String, String)], failure: String) async throws {
        for (compressed, split) in [(true, false), (false, false), (true, true)] {
            let answer = Self.settings + (try Self.trailers(fields, compressed: compressed, split: split))
            #expect(try await probe(answers: [answer], service: "db") == failure)
        }
        let late = Self.settings + Self.headers + (try Self.trailers(fields))
        #expect(try await probe(answers: [late], service: "db") == failure)
        let empty: [UInt8] = [0, 0, 5, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 0]
        let later = Self.settings + Self.headers + empty + (try Self.trailers(fields))
        #expect(try await probe(answers: [later], service: "db") == failure)
    }

    @Test(arguments: [(1, nil), (2, "service unhealthy (responded with \"NOT_SERVING\")")] as [(UInt8, String?)])
    func anAnswerStandsAtTheEndOfItsCall(status: UInt8, failure: String?) async throws {
        let answer = Self.settings + Self.headers + Self.health(status)
        let end = try Self.trailers([("grpc-status", "0")])
        #expect(try await probe(answers: [answer + end], closes: false) == failure)
        #expect(
            try await probe(answers: [Self.settings + Self.headers + end], closes: false) == "malformed health message")
    }

    @Test func theRequestNamesTheService() {
        let bytes = GRPCProbe.request(authority: "10.244.1.2:50051", service: "db")
        #expect(bytes.starts(with: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)))
        #expect(bytes.suffix(9) == [0, 0, 0, 0, 4, 0x0a, 2, 0x64, 0x62])
        let long = GRPCProbe.request(authority: "10.244.1.2:50051", service: String(repeating: "s", count: 300))
        // Length 303, of which field 1's is 300 as a varint.
        #expect(long.suffix(300 + 8).prefix(8) == [0, 0, 0, 1, 0x2f, 0x0a, 0xac, 2])
        #expect(long.suffix(300 + 8 + 9).prefix(9) == [0, 1, 0x34, 0, 1, 0, 0, 0, 1], "the frame of all that")
    }

    // What servers send, as frames: length, type, flags, stream, payload.
    private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    private static let headers: [UInt8] = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88]
    private static func health(_ status: UInt8) -> [UInt8] {
        [0, 0, 7, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 2, 8, status]
    }
    private static func goAway(last: UInt8) -> [UInt8] { [0, 0, 8, 7, 0, 0, 0, 0, 0] + [0, 0, 0, last, 0, 0, 0, 0] }
    private static func reset(_ code: UInt8) -> [UInt8] { [0, 0, 4, 3, 0, 0, 0, 0, 1] + [0, 0, 0, code] }
    /// A call's end without an answer, by a server that compresses or does not, in one frame or, padded, in two.
    private static func trailers(
        _ fields: [(String, String)], compressed: Bool = true, split: Bool = false
    ) throws -> [UInt8] {
        var buffer = ByteBuffer()
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator(), useHuffmanEncoding: compressed)
        try encoder.encode(headers: HPACKHeaders([(":status", "200")] + fields), to: &buffer)
        let block = Array(buffer.readableBytesView)
        if !split { return [0, 0, UInt8(block.count), 1, 5, 0, 0, 0, 1] + block }
        let (first, second) = (block.prefix(3), block.dropFirst(3))
        return [0, 0, UInt8(first.count + 3), 1, 9, 0, 0, 0, 1, 2] + first + [0, 0]
            + [0, 0, UInt8(second.count), 9, 4, 0, 0, 0, 1] + second
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What each connection is answered with before the server closes it; the last one stands for all that follow.
        let answers: [[UInt8]]
        /// What the failure says; nil for a healthy server.
        let failure: String?
        var timeout = 30.0
    }

    static let cases = [
        Case(testDescription: "healthy", answers: [settings + headers + health(1)], failure: nil),
        Case(
            testDescription: "not serving", answers: [settings + headers + health(2)],
            failure: "service unhealthy (responded with \"NOT_SERVING\")"),
        Case(
            testDescription: "a server that is just starting closes its first connections",
            answers: [[], settings, settings + headers + health(1)], failure: nil),
        Case(
            testDescription: "a server that goes away answers the call that it has",
            answers: [
                settings + goAway(last: 1) + headers + health(1)
            ], failure: nil),
        Case(
            testDescription: "a call that the server did not look at is made again",
            answers: [settings + goAway(last: 0), settings + reset(7), settings + headers + health(1)], failure: nil),
        Case(
            testDescription: "a call that was begun is not made again",
            answers: [
                settings + headers, settings + headers + health(1),
            ], failure: "error: health rpc probe failed: EOF"),
        Case(
            testDescription: "an ended call", answers: [settings + reset(2)],
            failure: "error: health rpc probe failed: the server ended the call"),
        Case(
            testDescription: "a server that closes all connections", answers: [[]],
            failure: "timeout: failed to connect service \"127.0.0.1:PORT\" within 1s: context deadline exceeded",
            timeout: 1),
    ]

    @Test(arguments: cases) func aServersAnswerIsJudged(_ example: Case) async throws {
        let failure = try await probe(answers: example.answers, timeout: example.timeout)
        #expect(failure == example.failure)
    }

    /// What a probe of a server says that answers its connections so; nil where it is healthy.
    private func probe(
        answers: [[UInt8]], service: String = "", timeout: Double = 30, closes: Bool = true
    ) async throws -> String? {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let count = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
        let server = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let answer = answers[min(count.value, answers.count - 1)]
                    count.value += 1
                    try channel.pipeline.syncOperations.addHandler(Answering(answer, closes: closes))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        var failure: String?
        do {
            try await GRPCProbe.check(host: "127.0.0.1", port: port, service: service, timeout: timeout)
        } catch {
            failure = error.description.replacing(String(port), with: "PORT")
        }
        try await server.close()
        return failure
    }

    @Test(
        arguments: [
            ([], "timeout: failed to connect service \"127.0.0.1:PORT\" within 1s: context deadline exceeded"),
            (settings, "timeout: health rpc did not complete within 1s"),
        ] as [([UInt8], String)])
    func aServerThatDoesNotAnswerTakesTheWholeTimeout(greeting: [UInt8], failure: String) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(greeting, closes: false))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let error = await #expect(throws: NetworkProbe.Failure.self) {
            try await GRPCProbe.check(host: "127.0.0.1", port: port, service: "", timeout: 1)
        }
        #expect(error?.description == failure.replacing("PORT", with: String(port)))
        try await server.close()
    }

    /// Sends its answer once it has the request.
    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: [UInt8]
        private let closes: Bool
        private var received = 0

        init(_ answer: [UInt8], closes: Bool = true) {
            self.answer = answer
            self.closes = closes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += unwrapInboundIn(data).readableBytes
            guard received > 24 + 9 else { return }
            received = .min
            let channel = context.channel
            let closes = closes
            context.writeAndFlush(NIOAny(ByteBuffer(bytes: answer))).whenComplete { _ in
                if closes { channel.close(promise: nil) }
            }
        }
    }
}
