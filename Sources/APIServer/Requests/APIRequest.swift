import HTTPTypes
import KubernetesModel
import NIOCore

/// One request, over HTTP/1.1 or HTTP/2, or one for an upgrade.
struct APIRequest: Sendable {
    let method: HTTPRequest.Method
    let target: RequestTarget
    let headers: HTTPFields
    /// Empty until the request is authorized, and for one whose body is streamed.
    private(set) var body: ByteBuffer
    /// The body while it is still with the client.
    let incoming: IncomingBody?
    let user: User
    /// The host, and port, by which the client has named the server.
    var authority: String?

    init(method: HTTPRequest.Method, target: RequestTarget, headers: HTTPFields, body: ByteBuffer, user: User) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.user = user
        incoming = nil
    }

    init(method: HTTPRequest.Method, target: RequestTarget, headers: HTTPFields, incoming: IncomingBody, user: User) {
        self.method = method
        self.target = target
        self.headers = headers
        self.user = user
        self.incoming = incoming
        body = ByteBuffer()
    }

    /// Reads the body, where it is still with the client.
    mutating func readBody() async throws(Status) {
        if let incoming { body = try await incoming.collect() }
    }

    var query: Query { target.query }

    func header(_ name: HTTPField.Name) -> String? { headers[name] }
}

/// The response to a request.
struct APIResponse: Sendable {
    enum Body: Sendable {
        case bytes(ByteBuffer)
        /// A body that is written in parts, each sent at once. The closure throws to close the connection early.
        case stream(@Sendable (any ByteSink) async throws -> Void)
    }

    var code = 200
    var contentType = "application/json"
    var headers: [(name: HTTPField.Name, value: String)] = []
    var body: Body

    init(code: Int = 200, contentType: String = "application/json", body: Body) {
        self.code = code
        self.contentType = contentType
        self.body = body
    }

    init(code: Int = 200, contentType: String = "application/json", bytes: some Sequence<UInt8>) {
        self.init(code: code, contentType: contentType, body: .bytes(ByteBuffer(bytes: bytes)))
    }

    init(text: String, code: Int = 200) {
        self.init(code: code, contentType: "text/plain; charset=utf-8", body: .bytes(ByteBuffer(string: text)))
    }
}

/// Where a streamed body goes. One task writes at a time.
protocol ByteSink: Sendable {
    func write(_ bytes: ByteBuffer) async throws
}

extension HTTPField.Name {
    static let warning = HTTPField.Name("Warning")!  // a constant token, so the name is valid
}
