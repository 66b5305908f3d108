import NIOCore
import NIOHPACK
import NIOPosix

/// Asks a server for its health by gRPC (`grpc.health.v1.Health/Check`), with just enough HTTP/2 for one call.
enum GRPCProbe {
    /// What came of one connection.
    fileprivate enum Outcome: Sendable, Equatable {
        case status(UInt8)
        /// The connection ended before the server began with the call, which may be made again (gRPC's transparent
        /// retry): as by a server that is just starting.
        case notBegun
    }

    private static let pause = 0.05

    /// - Throws: where the server does not answer `SERVING` in time.
    static func check(host: String, port: Int, service: String, timeout: Double) async throws(NetworkProbe.Failure) {
        // As much as one frame takes.
        guard service.utf8.count <= 16_000 else {
            throw NetworkProbe.Failure(description: "error: the service's name is too long")
        }
        let end = ContinuousClock.now + .seconds(timeout)
        while true {
            let left = (end - .now) / .seconds(1)
            switch try await call(host: host, port: port, service: service, left: left, timeout: timeout) {
            case .status(1): return
            case .status(let status):
                let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
                let name = names.indices.contains(Int(status)) ? names[Int(status)] : String(status)
                throw NetworkProbe.Failure(description: "service unhealthy (responded with \"\(name)\")")
            case .notBegun:
                guard left > 2 * pause, (try? await Task.sleep(for: .seconds(pause))) != nil else {
                    throw unconnected(host, port, timeout)
                }
            }
        }
    }

    private static func unconnected(_ host: String, _ port: Int, _ timeout: Double) -> NetworkProbe.Failure {
        NetworkProbe.Failure(
            description: "timeout: failed to connect service \"\(host):\(port)\" within \(goDuration(timeout)): "
                + "context deadline exceeded")
    }

    private static func late(_ timeout: Double) -> NetworkProbe.Failure {
        NetworkProbe.Failure(description: "timeout: health rpc did not complete within \(goDuration(timeout))")
    }

    private static func call(
        host: String, port: Int, service: String, left: Double, timeout: Double
    ) async throws(NetworkProbe.Failure) -> Outcome {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let limit = TimeAmount.nanoseconds(Int64(left * 1e9))
        let answer = loop.makePromise(of: Outcome.self)
        // A connection counts from the server's settings on.
        let isConnected = NIOLoopBoundBox.makeBoxSendingValue(false, eventLoop: loop)
        let end = loop.scheduleTask(in: limit) {
            answer.fail(isConnected.value ? late(timeout) : unconnected(host, port, timeout))
        }
        defer { end.cancel() }
        let connection = ClientBootstrap(group: loop).connectTimeout(limit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(HealthCall(answer, isConnected))
            }
        }.connect(host: host, port: port)
        let bytes = request(authority: "\(host):\(port)", service: service)
        connection.whenSuccess { $0.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
        connection.whenFailure { answer.fail($0) }
        defer { connection.whenSuccess { $0.close(promise: nil) } }
        do {
            return try await answer.valueUnlessCancelled()
        } catch let failure as NetworkProbe.Failure {
            throw failure
        } catch {
            throw unconnected(host, port, timeout)
        }
    }

    /// Everything that the client sends: preface, settings, the headers (HPACK literals, never indexed) and the message.
    static func request(authority: String, service: String) -> [UInt8] {
        let headers = [
            (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"),
            (":authority", authority), ("content-type", "application/grpc"), ("te", "trailers"),
            ("user-agent", "kube-probe/1.33"),
        ]
        var block: [UInt8] = []
        for (name, value) in headers {
            block += [0] + [UInt8(name.utf8.count)] + name.utf8
            block += [UInt8(min(126, value.utf8.count))] + value.utf8.prefix(126)
        }
        let name = Array(service.utf8)
        var message: [UInt8] = []
        if !name.isEmpty {
            message.append(0x0a)
            var length = name.count
            while length > 0x7f {
                message.append(UInt8(length & 0x7f) | 0x80)
                length >>= 7
            }
            message.append(UInt8(length))
            message += name
        }
        let body = [0, 0, 0, UInt8(message.count >> 8), UInt8(message.count & 255)] + message
        return Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(.settings, flags: 0, stream: 0, [])
            + frame(.headers, flags: 4, stream: 1, block) + frame(.data, flags: 1, stream: 1, body)
    }

    fileprivate enum Frame: UInt8 {
        case data = 0
        case headers = 1
        case reset = 3
        case settings = 4
        case ping = 6
        case goAway = 7
        case continuation = 9
    }

    /// The error code of a stream that the server has not looked at (RFC 9113, section 7).
    fileprivate static let refusedStream: UInt32 = 7

    /// The number that a frame's payload begins with.
    fileprivate static func number(_ payload: [UInt8]) -> UInt32 {
        payload.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    fileprivate static func frame(_ type: Frame, flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type.rawValue, flags, 0, 0, 0, stream] + payload
    }

    /// What the end of a call without a health message says, in the kubelet's words.
    static func failure(trailers: HPACKHeaders) -> String {
        let message = percentDecoded(trailers.first(name: "grpc-message") ?? "")
        switch trailers.first(name: "grpc-status").flatMap({ Int($0) }) {
        case 12:
            let text = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)"
            return "\(text): \(message)"
        case let code?:
            let name = codes.indices.contains(code) ? codes[code] : "Code(\(code))"
            return "error: health rpc probe failed: rpc error: code = \(name) desc = \(message)"
        case nil:
            let status = trailers.first(name: ":status") ?? "none"
            return "error: health rpc probe failed: unexpected HTTP status code received from server: \(status)"
        }
    }

    /// By their numbers.
    private static let codes = [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
        "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
        "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ]

    private static func percentDecoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The status in a `HealthCheckResponse`: field 1, a varint; UNKNOWN where it is left out.
    static func status(inMessage bytes: [UInt8]) -> UInt8? {
        guard bytes.count >= 5 else { return nil }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= 5 + length else { return nil }
        let message = bytes[5..<(5 + length)]
        return message.count >= 2 && message[5] == 0x08 ? message[6] : 0
    }
}

/// Reads the server's frames until the call has ended.
private final class HealthCall: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<GRPCProbe.Outcome>
    private let isConnected: NIOLoopBoundBox<Bool>
    private var received = ByteBuffer()
    private var message: [UInt8] = []
    private var hasBegun = false
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    /// Of a block of headers that goes on in the next frame.
    private var block: [UInt8] = []
    private var blockEndsStream = false

    init(_ answer: EventLoopPromise<GRPCProbe.Outcome>, _ isConnected: NIOLoopBoundBox<Bool>) {
        self.answer = answer
        self.isConnected = isConnected
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var more = unwrapInboundIn(data)
        received.writeBuffer(&more)
        while let header = received.getBytes(at: received.readerIndex, length: 9) {
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            guard length + message.count + block.count <= 1 << 20 else { return fail("malformed HTTP/2 response") }
            guard received.readableBytes >= 9 + length else { return }
            received.moveReaderIndex(forwardBy: 9)
            let payload = received.readBytes(length: length) ?? []
            take(context, GRPCProbe.Frame(rawValue: header[3]), flags: header[4], payload)
        }
    }

    private func take(_ context: ChannelHandlerContext, _ type: GRPCProbe.Frame?, flags: UInt8, _ payload: [UInt8]) {
        let endsStream = flags & 1 != 0
        switch type {
        case .settings where !endsStream:
            isConnected.value = true
            reply(context, GRPCProbe.frame(.settings, flags: 1, stream: 0, []))
        case .ping where !endsStream: reply(context, GRPCProbe.frame(.ping, flags: 1, stream: 0, payload))
        case .data:
            let padding = flags & 8 != 0 ? Int(payload.first ?? 0) : 0
            message += flags & 8 != 0 ? Array(payload.dropFirst().dropLast(padding)) : payload
            if endsStream { end() }
        case .headers:
            hasBegun = true
            blockEndsStream = endsStream
            let padding = flags & 8 != 0 ? Int(payload.first ?? 0) : 0
            let before = (flags & 8 != 0 ? 1 : 0) + (flags & 0x20 != 0 ? 5 : 0)
            block = Array(payload.dropFirst(before).dropLast(padding))
            if flags & 4 != 0 { takeHeaders() }
        case .continuation:
            block += payload
            if flags & 4 != 0 { takeHeaders() }
        case .reset where GRPCProbe.number(payload) == GRPCProbe.refusedStream: answer.succeed(.notBegun)
        case .reset: fail("error: health rpc probe failed: the server ended the call")
        // A server that goes away still answers the calls up to the one that it names.
        case .goAway where GRPCProbe.number(payload) & 0x7fff_ffff == 0: answer.succeed(.notBegun)
        default: break
        }
    }

    /// Trailers say whether the call itself failed, as where the server knows no such service; some servers send an empty
    /// message before.
    private func takeHeaders() {
        var buffer = ByteBuffer(bytes: block)
        block = []
        // Each block is decoded, for it may be that a later one refers to it.
        guard let headers = try? decoder.decodeHeaders(from: &buffer) else { return fail("malformed HTTP/2 response") }
        guard blockEndsStream else { return }
        if headers.first(name: "grpc-status") == "0" { end() } else { fail(GRPCProbe.failure(trailers: headers)) }
    }

    private func end() {
        if let status = GRPCProbe.status(inMessage: message) {
            answer.succeed(.status(status))
        } else {
            fail("malformed health message")
        }
    }

    private func reply(_ context: ChannelHandlerContext, _ bytes: [UInt8]) {
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func fail(_ text: String) { answer.fail(NetworkProbe.Failure(description: text)) }

    /// The first of these calls decides; what follows changes nothing.
    func channelInactive(context: ChannelHandlerContext) {
        if let status = GRPCProbe.status(inMessage: message) {
            answer.succeed(.status(status))
        } else if hasBegun {
            fail("error: health rpc probe failed: EOF")
        } else {
            answer.succeed(.notBegun)
        }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
