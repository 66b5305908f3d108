import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Probes and hooks over the network: one request, no thread kept waiting.
enum NetworkProbe {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct HTTPRequest: Sendable {
        var host: String
        var port: Int
        var path: String
        var isTLS = false
        /// In order; `Host` and `User-Agent` in it take the place of the usual ones.
        var headers: [(name: String, value: String)] = []

        var url: String { "\(isTLS ? "https" : "http")://\(host):\(port)\(path)" }

        fileprivate var text: String {
            var text = "GET \(path) HTTP/1.1\r\n"
            func has(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name } }
            if !has("host") { text += "Host: \(host):\(port)\r\n" }
            if !has("user-agent") { text += "User-Agent: kube-probe/1.33\r\n" }
            if !has("accept") { text += "Accept: */*\r\n" }
            for header in headers { text += "\(header.name): \(header.value)\r\n" }
            return text + "Connection: close\r\n\r\n"
        }
    }

    /// The status code that a GET is answered with. Certificates are not verified, as by the kubelet.
    static func http(_ request: HTTPRequest, timeout: Double) async throws(Failure) -> Int {
        let limit = TimeAmount.nanoseconds(Int64(timeout * 1e9))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: Int.self)
        let context = request.isTLS ? tls : nil
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(limit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if let context {
                    let handler = try NIOSSLClientHandler(context: context, serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
                try channel.pipeline.syncOperations.addHandler(StatusLine(answer))
            }
        }
        let end = loop.scheduleTask(in: limit) { answer.fail(Timeout()) }
        defer { end.cancel() }
        do {
            let channel = try await bootstrap.connect(host: request.host, port: request.port).get()
            channel.writeAndFlush(ByteBuffer(string: request.text), promise: nil)
            let result = await answer.futureResult.result()
            channel.close(promise: nil)
            return try result.get()
        } catch {
            answer.fail(error)
            throw Failure(description: "Get \"\(request.url)\": \(explain(error, request.host, request.port))")
        }
    }

    /// Opens a connection and closes it.
    static func tcp(host: String, port: Int, timeout: Double) async throws(Failure) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(.nanoseconds(Int64(timeout * 1e9))).connect(host: host, port: port).get()
            channel.close(promise: nil)
        } catch {
            throw Failure(description: explain(error, host, port))
        }
    }

    private static let tls: NIOSSLContext? = {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        return try? NIOSSLContext(configuration: configuration)
    }()

    private struct Timeout: Error {}
    private struct Closed: Error {}

    /// The fault in the words of Go's net package, which users know from Kubernetes.
    private static func explain(_ error: any Error, _ host: String, _ port: Int) -> String {
        switch error {
        case is Timeout: return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        case ChannelError.connectTimeout: return "dial tcp \(host):\(port): i/o timeout"
        case is Closed: return "EOF"
        case let error as IOError:
            return "dial tcp \(host):\(port): connect: \(String(cString: strerror(error.errnoCode)).lowercased())"
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return explain(first.error, host, port) }
            return "dial tcp: lookup \(host): no such host"
        default: return "\(error)"
        }
    }

    /// Reads an answer's first line; the rest is not looked at.
    private final class StatusLine: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: EventLoopPromise<Int>
        private var line: [UInt8] = []

        init(_ answer: EventLoopPromise<Int>) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            line += unwrapInboundIn(data).readableBytesView
            guard line.contains(UInt8(ascii: "\n")) || line.count > 4096 else { return }
            let words = String(
                decoding: line.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }, as: UTF8.self
            )
            .split(separator: " ")
            if words.count >= 2, words[0].hasPrefix("HTTP/"), let code = Int(words[1]) {
                answer.succeed(code)
            } else {
                answer.fail(Failure(description: "malformed HTTP response"))
            }
        }

        func channelInactive(context: ChannelHandlerContext) { answer.fail(Closed()) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            answer.fail(error)
            context.close(promise: nil)
        }
    }
}

extension EventLoopFuture where Value: Sendable {
    /// The outcome, without throwing.
    fileprivate func result() async -> Result<Value, any Error> {
        do { return .success(try await get()) } catch { return .failure(error) }
    }
}
