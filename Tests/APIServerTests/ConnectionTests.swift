import APIClient
import HTTPTypes
import KubernetesModel
import NIOCore
import TestSupport
import Testing

@testable import APIServer

/// What a client may take of the server before it has shown who it is, and afterwards.
@Suite(.timeLimit(.minutes(2))) struct ConnectionTests {
    private static let proxy = "/api/v1/namespaces/default/pods/p/proxy/"

    /// A body is not read, whatever its path, before its request is authorized.
    @Test(arguments: ["Content-Length: 268435456", "Transfer-Encoding: chunked"], [proxy, "/api/v1/namespaces"])
    func noBodyIsReadBeforeAuthorization(_ header: String, _ path: String) async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory)
            client.send("POST \(path) HTTP/1.1\r\nHost: x\r\n\(header)\r\n\r\n")
            try await client.expect("system:anonymous")
            #expect(client.text.hasPrefix("HTTP/1.1 403") && client.text.lowercased().contains("connection: close"))
            // What it sends meanwhile is not waited for.
            try await client.expectClose()
        }
    }

    @Test(arguments: ["Bearer x", "Bearer a.b.c"]) func aWrongTokenIsAnsweredAtOnce(_ token: String) async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory)
            client.send(
                "POST \(Self.proxy) HTTP/1.1\r\nHost: x\r\nAuthorization: \(token)\r\nContent-Length: 268435456\r\n\r\n"
            )
            try await client.expect("Unauthorized")
            #expect(client.text.hasPrefix("HTTP/1.1 401"))
            try await client.expectClose()
        }
    }

    @Test(arguments: [true, false]) func bodiesHaveALimit(_ isAnnounced: Bool) async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            let length = 3 * 1024 * 1024 + 1
            let header = isAnnounced ? "Content-Length: \(length)" : "Transfer-Encoding: chunked"
            client.send(
                "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\(header)\r\n\r\n")
            if !isAnnounced {
                client.send(String(length, radix: 16) + "\r\n")
                try? await client.send(ByteBuffer(repeating: UInt8(ascii: " "), count: length))
            }
            try await client.expect("Request entity too large: limit is 3145728")
            #expect(client.text.hasPrefix("HTTP/1.1 413"))
            try await client.expectClose()
        }
    }

    /// A client that keeps its connection for later reads nothing meanwhile, also not that the server ends.
    @Test func theServerEndsWithoutItsClients() async throws {
        let (ends, end) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            client.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            try await client.expect("gitVersion")
            try await client.stopReading()
            end.yield(.now)
        }
        let begin = try #require(await ends.first { _ in true })
        // TLS gives such a client 5 s to say goodbye.
        #expect(ContinuousClock.now - begin < .seconds(4))
    }

    /// A path that looks like a proxy's is none for its name; the connection goes on behind its body.
    @Test func anObjectMayBeCalledProxy() async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            let path = "/api/v1/namespaces/default/configmaps"
            func send(_ method: String, _ path: String, _ data: String) {
                let body = #"{"metadata":{"name":"proxy"},"data":{"k":"\#(data)"}}"#
                client.send(
                    "\(method) \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
            send("POST", path, "first")
            try await client.expect("HTTP/1.1 201")
            send("PUT", "\(path)/proxy", "second")
            try await client.expect(#""k":"second""#)
            send("PUT", "\(path)/proxy", "third")
            try await client.expect(#""k":"third""#)
            send("PUT", "\(path)/proxy", String(repeating: "x", count: 3 << 20))
            try await client.expect("Request entity too large")
            try await client.expectClose()
        }
    }

    /// After a small body that was refused the connection goes on.
    @Test func aSmallRefusedBodyKeepsTheConnection() async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory)
            client.send("POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnull")
            try await client.expect("HTTP/1.1 403")
            client.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            try await client.expect("gitVersion")
        }
    }

    @Test func aConnectionThatSaysNothingIsClosed() async throws {
        var limits = ConnectionLimits()
        limits.firstRequest = .milliseconds(300)
        try await TestServer.run(limits: limits) { api in
            let silent = try await TestConnection(port: api.port, directory: nil)
            let handshaken = try await TestConnection(port: api.port, directory: api.directory)
            let slow = try await TestConnection(port: api.port, directory: api.directory)
            slow.send("GET /version HTTP/1.1\r\nHost:")
            for client in [silent, handshaken, slow] { try await client.expectClose() }
        }
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \(String(repeating: "x", count: 200_000))",
    ]) func whatIsNoRequestIsAnsweredAtOnce(_ text: String) async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory)
            client.send(text)
            try await client.expectClose()
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(300)
        try await TestServer.run(limits: limits) { api in
            let client = try await TestConnection(port: api.port, directory: api.directory)
            client.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            try await client.expect("gitVersion")
            // The head of a second request that never ends.
            client.send("GET /version HTTP/1.1\r\n")
            try await client.expectClose()
        }
    }

    @Test func anIdleConnectionOfHTTP2IsClosed() async throws {
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(300)
        try await TestServer.run(limits: limits) { api in
            let client = try await TestConnection(port: api.port, directory: api.directory, protocolName: "h2")
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")
            try await client.expectClose()
        }
    }

    /// A watch says nothing for long, and is not idle.
    @Test func aWatchKeepsItsConnection() async throws {
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(100)
        try await TestServer.run(limits: limits) { (api: TestRequests) async throws -> Void in
            let client = try HTTPSClient(Kubeconfig(path: "\(api.directory)/kubeconfig"))
            let list = try await client.list(.configMaps, namespace: "default")
            var events = client.watch(
                .configMaps, namespace: "default", options: ListOptions(resourceVersion: list.resourceVersion)
            ).makeAsyncIterator()
            let other = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            other.send("GET /api/v1/namespaces/default/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            try await other.expect("HTTP/1.1 200")
            async let first = events.next()
            // Both have been silent for longer than this one may be, which comes after them.
            let idle = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            idle.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            try await idle.expect("HTTP/1.1 200")
            try await idle.expectClose()
            let created = try await api.client.create(
                .configMaps, Object(.configMaps, namespace: "default", name: "kept"))
            guard case .added(let seen) = try await first else { throw CancellationError() }
            #expect(seen == created)
            try await other.expect(#""name":"kept""#)
            await other.close()
            await client.shutdown()
        }
    }

    @Test func aSlowBodyIsNotWaitedForForEver() async throws {
        var limits = ConnectionLimits()
        limits.body = .milliseconds(300)
        try await TestServer.run(limits: limits) { api in
            let client = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            client.send("POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
            try await client.expectClose()
        }
    }

    /// Whoever opens more connections than there may be closes the first of them, and nobody else's.
    @Test func manyConnectionsKeepNobodyOut() async throws {
        var limits = ConnectionLimits()
        limits.unknownPerPeer = 8
        limits.count = 12
        try await TestServer.run(limits: limits) { api in
            let request = "GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n\r\n"
            let known = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            known.send(request)
            try await known.expect("NamespaceList")
            var strangers: [TestConnection] = []
            for _ in 0..<40 { strangers.append(try await TestConnection(port: api.port, directory: nil)) }
            try await eventually("the first connections are closed") { strangers.filter(\.isOpen).count <= 8 }
            #expect(known.isOpen)
            let late = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            late.send(request)
            try await late.expect("NamespaceList")
            for client in strangers + [known, late] { await client.close() }
        }
    }

    /// The part of a connection's first request that comes while its upgrade is decided stays where it was.
    @Test func anUpgradeThatIsRefusedIsAnswered() async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory)
            client.send(
                "POST /api/v1/namespaces/default/pods/p/exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                    + "Upgrade: SPDY/3.1\r\nContent-Length: 268435456\r\n\r\n" + String(repeating: "x", count: 100_000))
            try await client.expect("HTTP/1.1 403")
            try await client.expectClose()
        }
    }
}
