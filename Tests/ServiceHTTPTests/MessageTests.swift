import Testing

@testable import ServiceHTTP

@Suite struct MessageTests {
    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 18), ("GET / HTTP/1.1\r\nA: b\r\n\r\nbody", 24), ("\r\n\r\n", 4),
        ("GET / HTTP/1.1\r\n", nil), ("a\r\n\rb\r\n\r\n", 9), ("\n\r\n\r", nil), ("", nil),
    ])
    func findsTheHeadsEnd(text: String, end: Int?) {
        #expect(Request.headEnd(in: Array(text.utf8)) == end)
    }

    @Test(arguments: [
        ("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "/a", true),
        ("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", "/", false),
        ("HEAD / HTTP/1.0\r\n\r\n", "/", false), ("GET / HTTP/1.0\r\nconnection:\tkeep-alive \r\n\r\n", "/", true),
    ])
    func readsRequests(text: String, path: String, keepsAlive: Bool) throws {
        let request = try #require(Request(head: Array(text.utf8)[...]))
        #expect(request.path == path)
        #expect(request.keepsAlive == keepsAlive)
    }

    @Test(arguments: [
        "GET /\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "\r\n\r\n",
    ])
    func refusesWhatIsNoRequest(text: String) {
        #expect(Request(head: Array(text.utf8)[...]) == nil)
    }

    @Test func encodesAnswers() {
        var bytes: [UInt8] = []
        Response(json: "{}").encode(into: &bytes, withBody: false, closes: true)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(
            text
                == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        )
    }
}
