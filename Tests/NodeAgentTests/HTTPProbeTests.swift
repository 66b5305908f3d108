import KubernetesModel
import NIOCore
import NIOPosix
import PodRuntime
import Testing

@testable import NodeAgent

@Suite struct HTTPProbeTests {
    private typealias Request = NetworkProbe.HTTPRequest

    @Test(
        arguments: [
            ("/next", "http://a:80/next"), ("next?x=1#part", "http://a:80/dir/next?x=1"),
            ("http://b/x", "http://b:80/x"),
            ("https://a:8443", "https://a:8443/"), ("//c:81/x", "http://c:81/x"), ("ftp://a/x", nil),
        ] as [(String, String?)])
    func locationsAreResolved(location: String, url: String?) {
        #expect(Request(host: "a", port: 80, path: "/dir/page?q=1").redirected(to: location)?.url == url)
    }

    @Test(
        arguments: [
            ("HTTP/1.1 204 No Content\r\nlocation:  /x\r\n", 204, "/x"), ("HTTP/1.0 500\r\n", 500, nil),
            ("SSH-2.0", nil, nil),
        ] as [(String, Int?, String?)])
    func headsAreRead(head: String, code: Int?, location: String?) {
        let answer = NetworkProbe.HTTPAnswer(head: head)
        #expect(answer?.code == code)
        #expect(answer?.location == location)
    }

    /// What a server answers by path, and what comes of a probe of it.
    @Test(
        arguments: [
            ("/ok", 200, nil), ("/missing", 404, nil), ("/moved", 200, nil), ("/lost", 404, nil), ("/away", 302, nil),
            ("/loop", nil, "stopped after 10 redirects"), ("/closed", nil, "EOF"), ("/body", 302, nil),
            ("/interim", 200, nil), ("/early", nil, "EOF"),
            ("/other", nil, "malformed HTTP response"),
            ("/silent", nil, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
        ] as [(String, Int?, String?)])
    func anAnswerIsJudgedByItsHead(path: String, code: Int?, failure: String?) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Server()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        var fault: String?
        var found: Int?
        do {
            let limit = path == "/silent" ? 1.0 : 30
            found = try await NetworkProbe.http(Request(host: "127.0.0.1", port: port, path: path), timeout: limit).code
        } catch {
            fault = error.description
        }
        #expect(found == code)
        #expect(fault == failure.map { "Get \"http://127.0.0.1:\(port)\(path)\": \($0)" })
        try await server.close()
    }

    /// A redirection that is not followed is a success with a warning; its body is told as far as it comes.
    @Test(
        arguments: [
            ("/moved", .success), ("/away", .warning("Probe terminated redirects, Response body: ")),
            ("/elsewhere", .warning("Probe terminated redirects, Response body: gone")),
            ("/cut", .warning("Probe terminated redirects, Response body: go")),
            ("/lost", .failure("HTTP probe failed with statuscode: 404")),
        ] as [(String, ProbeResult)])
    func aRedirectionElsewhereIsAWarning(path: String, wanted: ProbeResult) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Server()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let context = NodeContext.test(runtime: FakeRuntime(), directory: "/nonexistent")
        let hook = Hook(node: context, container: Container([:]), address: "127.0.0.1")
        let handler: JSON = ["httpGet": ["path": .string(path), "port": JSON(port)]]
        let id = ContainerID(podUID: "u", name: "c", restart: 0)
        #expect(await hook.attempt(handler, id, timeout: 30) == wanted)
        try await server.close()
    }

    @Test func aWarningIsAnEvent() {
        #expect(
            ProbeKind.liveness.notice(of: .warning("w"), container: "c")
                == .warning("ProbeWarning", "Liveness probe warning: w", container: "c"))
        #expect(
            ProbeKind.readiness.notice(of: .failure("f"), container: "c")
                == .warning("Unhealthy", "Readiness probe failed: f", container: "c"))
        #expect(ProbeKind.startup.notice(of: .success, container: "c") == nil)
    }

    /// As a lifecycle hook that outlasts the grace period; one server takes the connection and says nothing.
    @Test(arguments: ["http", "grpc"]) func aRequestThatIsGivenUpEnds(kind: String) async throws {
        let (connected, connection) = AsyncStream.makeStream(of: Void.self)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                connection.yield()
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let began = ContinuousClock.now
        let probe = Task {
            if kind == "http" {
                _ = try await NetworkProbe.http(Request(host: "127.0.0.1", port: port, path: "/"), timeout: 60)
            } else {
                try await GRPCProbe.check(host: "127.0.0.1", port: port, service: "", timeout: 60)
            }
        }
        for await _ in connected { break }
        probe.cancel()
        await #expect(throws: NetworkProbe.Failure.self) { try await probe.value }
        #expect(ContinuousClock.now - began < .seconds(30))
        try await server.close()
    }

    private final class Server: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let words = String(buffer: unwrapInboundIn(data)).split(separator: " ")
            let answer: String
            switch words.count > 1 ? words[1] : "" {
            case "/ok": answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            case "/moved": answer = "HTTP/1.1 301 Moved\r\nLocation: ok\r\n\r\n"
            case "/lost": answer = "HTTP/1.1 302 Found\r\nLocation: /nowhere\r\n\r\n"
            case "/away": answer = "HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\n\r\n"
            case "/elsewhere":
                answer = "HTTP/1.1 302 Found\r\nLocation: http://b/\r\nContent-Length: 4\r\n\r\ngone and more"
            case "/cut": answer = "HTTP/1.1 302 Found\r\nLocation: http://b/\r\nContent-Length: 4\r\n\r\ngo"
            case "/loop": answer = "HTTP/1.1 307 Again\r\nLocation: /loop\r\n\r\n"
            case "/body": answer = "HTTP/1.1 302 Found\r\n\r\nLocation: /ok\r\n\r\n"
            case "/interim":
                answer =
                    "HTTP/1.1 103 Early Hints\r\nLocation: /x\r\n\r\nHTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\r\n\r\n"
            case "/early": answer = "HTTP/1.1 100 Continue\r\n\r\n"
            case "/closed": answer = ""
            case "/other": answer = "SSH-2.0-OpenSSH\r\n"
            case "/silent": return
            default: answer = "HTTP/1.1 404 Not Found\r\n\r\n"
            }
            let channel = context.channel
            context.writeAndFlush(NIOAny(ByteBuffer(string: answer))).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
