import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Probes and hooks over the network: one request, no thread kept waiting.
enum NetworkProbe {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The answer to a GET, after redirections within the host; with its body where it redirects elsewhere. Certificates
    /// are not verified. All as by the kubelet.
    static func http(_ request: HTTPRequest, timeout: Double) async throws(Failure) -> HTTPAnswer {
        let end = ContinuousClock.now + .seconds(timeout)
        var current = request
        for _ in 0..<10 {
            let answer = try await answer(to: current, left: (end - .now) / .seconds(1))
            guard let next = current.following(answer) else { return answer }
            current = next
        }
        throw Failure(description: "Get \"\(current.url)\": stopped after 10 redirects")
    }

    private static func answer(to request: HTTPRequest, left: Double) async throws(Failure) -> HTTPAnswer {
        let limit = TimeAmount.nanoseconds(max(0, Int64(left * 1e9)))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: HTTPAnswer.self)
        let context = request.isTLS ? tls : nil
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(limit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if let context {
                    let handler = try NIOSSLClientHandler(context: context, serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
                try channel.pipeline.syncOperations.addHandler(
                    HTTPAnswer.Reader(answer) { 300..<400 ~= $0.code && request.following($0) == nil })
            }
        }
        let end = loop.scheduleTask(in: limit) { answer.fail(Timeout()) }
        defer { end.cancel() }
        let connection = bootstrap.connect(host: request.host, port: request.port)
        connection.whenSuccess { $0.writeAndFlush(ByteBuffer(string: request.text), promise: nil) }
        connection.whenFailure { answer.fail($0) }
        defer { connection.whenSuccess { $0.close(promise: nil) } }
        do {
            return try await answer.valueUnlessCancelled()
        } catch {
            throw Failure(description: "Get \"\(request.url)\": \(explain(error, request.host, request.port))")
        }
    }

    /// Opens a connection and closes it.
    static func tcp(host: String, port: Int, timeout: Double) async throws(Failure) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let connected = loop.makePromise(of: Void.self)
        let connection = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(Int64(timeout * 1e9))).connect(host: host, port: port)
        connection.map { _ in }.cascade(to: connected)
        defer { connection.whenSuccess { $0.close(promise: nil) } }
        do {
            try await connected.valueUnlessCancelled()
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

    /// The fault in the words of Go's net package, as Kubernetes shows it.
    private static func explain(_ error: any Error, _ host: String, _ port: Int) -> String {
        switch error {
        case is Timeout: return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        case ChannelError.connectTimeout: return "dial tcp \(host):\(port): i/o timeout"
        case is HTTPAnswer.Closed: return "EOF"
        case let error as IOError:
            return "dial tcp \(host):\(port): connect: \(String(cString: strerror(error.errnoCode)).lowercased())"
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return explain(first.error, host, port) }
            return "dial tcp: lookup \(host): no such host"
        default: return "\(error)"
        }
    }
}

extension EventLoopPromise where Value: Sendable {
    /// Waits for the value; the promise fails when the task is cancelled.
    func valueUnlessCancelled() async throws -> Value {
        try await withTaskCancellationHandler {
            try await futureResult.get()
        } onCancel: {
            fail(CancellationError())
        }
    }
}
