import APIClient
import Glibc
import HTTPTypes
import KubernetesModel
import NIOCore
import NodeStreams
import TestSupport
import Testing

@testable import APIServer

/// Connections that become other protocols' at their first request or at a later one.
@Suite(.timeLimit(.minutes(2))) struct UpgradeTests {
    private static let pod = "/api/v1/namespaces/default/pods/p"
    private static let webSocket = """
        Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n
        """

    /// A server with a pod, whose node's agent answers input with it, and has a log.
    private static func run(_ body: @escaping @Sendable (TestRequests) async throws -> Void) async throws {
        try await TestServer.run { api in
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec = ["nodeName": "n", "containers": [["name": "c", "image": "i"]]]
            try await api.client.create(.pods, pod)
            let agent = try await StreamServer.bind(socket: "\(api.directory)/node-n.sock")
            let serving = Task {
                try await agent.run { request, incoming in
                    let session = try await incoming.accept()
                    if case .logs = request {
                        try await session.send(.stdout, "a line of the log\n".utf8)
                        return try await session.send(StreamFrame(.end))
                    }
                    while let frame = try await session.next() {
                        guard frame.channel == .stdin else { continue }
                        try await session.send(.stdout, Array("<".utf8) + frame.payload + Array(">".utf8))
                    }
                }
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(api)) } catch { result = .failure(error) }
            serving.cancel()
            try? await serving.value
            try result.get()
        }
    }

    private static func connect(_ api: TestRequests) async throws -> TestConnection {
        try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
    }

    /// A client's frame, with a mask that changes nothing.
    private static func frame(_ payload: String, channel: UInt8 = 0) -> ByteBuffer {
        ByteBuffer(bytes: [0x82, 0x80 | UInt8(payload.utf8.count + 1), 0, 0, 0, 0, channel] + Array(payload.utf8))
    }

    /// As clients that pool connections do (kr8s, httpx): requests come before the upgrade.
    @Test(arguments: [0, 1, 3]) func anyRequestMayUpgrade(before: Int) async throws {
        try await Self.run { api in
            let client = try await Self.connect(api)
            for count in 0..<before {
                client.send("GET /healthz?\(count) HTTP/1.1\r\nHost: x\r\n\r\n")
                try await eventually("answer \(count)") {
                    client.text.components("HTTP/1.1 200") == count + 1 && client.text.components("ok") == count + 1
                }
            }
            let path = "\(Self.pod)/exec?container=c&command=cat&stdin=1&stdout=1"
            let head =
                "GET \(path) HTTP/1.1\r\nHost: x\r\n\(Self.webSocket)"
                + "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
            // What comes right behind the request is the other protocol's already.
            try await client.send(ByteBuffer(bytes: Array(head.utf8) + Self.frame("first").readableBytesView))
            try await client.expect("HTTP/1.1 101 Switching Protocols")
            try await client.expect("<first>")
            try await client.send(Self.frame("second"))
            try await client.expect("<second>")
            #expect(client.text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
            // A close frame: the connection goes with the session.
            try await client.send(ByteBuffer(bytes: [0x88, 0x80, 0, 0, 0, 0]))
            try await client.expectClose()
        }
    }

    @Test(arguments: [false, true]) func aSPDYSessionMayFollowRequests(isFirst: Bool) async throws {
        try await Self.run { api in
            let client = try await Self.connect(api)
            if !isFirst {
                client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                try await client.expect("ok")
            }
            client.send(
                "POST \(Self.pod)/exec?command=cat&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                    + "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                    + "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n")
            try await client.expect("X-Stream-Protocol-Version: v4.channel.k8s.io")
            let headers = SPDYHeaderCodec()
            var bytes: [UInt8] = []
            for (number, type) in ["error", "stdin", "stdout"].enumerated() {
                let block = headers.encode(["streamtype": type])
                bytes += SPDYFrame.synStream(id: 2 * number + 1, block: block, fin: false).encoded
            }
            bytes += SPDYFrame.data(id: 3, bytes: Array("input".utf8), fin: false).encoded
            try await client.send(ByteBuffer(bytes: bytes))
            try await client.expect("<input>")
            await client.close()
        }
    }

    /// The response says why, and the connection ends: what follows it would not be read.
    @Test(arguments: [
        ("\(pod)/exec?command=cat", "websocket", "you must specify at least 1 of stdin, stdout, stderr"),
        ("\(pod)/exec?command=cat&stdout=1", "SPDY/3.1\r\nX-Stream-Protocol-Version: v9", "unable to upgrade"),
        ("\(pod)/exec?command=cat&stdout=1", "h2c", "Upgrade request required"),
        ("/api/v1/namespaces/default/pods/absent/exec?command=cat", "websocket", "not found"),
        ("/healthz", "websocket", "ok"),
    ]) func aRefusedUpgradeIsAnswered(path: String, wanted: String, text: String) async throws {
        try await Self.run { api in
            let client = try await Self.connect(api)
            client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: \(wanted)\r\n\r\n")
            try await client.expect(text)
            #expect(client.text.lowercased().contains("connection: close"))
            try await client.expectClose()
        }
    }

    @Test func anUpgradeWithoutConnectionIsNone() async throws {
        try await Self.run { api in
            let client = try await Self.connect(api)
            for count in 1...2 {
                client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n")
                try await eventually("an answer") { client.text.components("HTTP/1.1 200") == count }
            }
            await client.close()
        }
    }

    /// As upstream: an empty message first, then the log's bytes in messages.
    @Test(arguments: [
        ("", "a line of the log"), ("binary.k8s.io", "a line of the log"),
        ("base64.binary.k8s.io", "YSBsaW5lIG9mIHRoZSBsb2cK"),
    ]) func logsComeOverWebSockets(name: String, text: String) async throws {
        try await Self.run { api in
            let client = try await Self.connect(api)
            let offer = name.isEmpty ? "" : "Sec-WebSocket-Protocol: \(name)\r\n"
            client.send("GET \(Self.pod)/log?container=c HTTP/1.1\r\nHost: x\r\n\(Self.webSocket)\(offer)\r\n")
            try await client.expect("HTTP/1.1 101")
            try await client.expect(text)
            #expect(name.isEmpty || client.text.contains("Sec-WebSocket-Protocol: \(name)"))
            try await client.send(ByteBuffer(bytes: [0x88, 0x80, 0, 0, 0, 0]))
            try await client.expectClose()
        }
    }

    /// Not one that nobody could read.
    @Test func aLogWithoutACommonProtocolIsPlain() async throws {
        try await Self.run { api in
            let client = try await Self.connect(api)
            client.send(
                "GET \(Self.pod)/log?container=c HTTP/1.1\r\nHost: x\r\n\(Self.webSocket)"
                    + "Sec-WebSocket-Protocol: other\r\n\r\n")
            try await client.expect("HTTP/1.1 200")
            try await client.expect("a line of the log")
            try await client.expectClose()
        }
    }
}

extension String {
    /// How often a text is in this one.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
