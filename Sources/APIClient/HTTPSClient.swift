import AsyncHTTPClient
import FoundationEssentials
import KubernetesModel
import NIOCore
import NIOHTTP1

/// The API over HTTPS, as everything outside the control plane's process uses it.
///
/// Connections are kept and shared, by HTTP/2 where the server speaks it. It opens none before the first request.
public final class HTTPSClient: Client {
    private let http: HTTPClient
    private let server: String
    private let headers: HTTPHeaders

    /// A request other than a watch is given up after this time.
    private static let timeout = TimeAmount.seconds(30)
    /// How large an answer may be.
    private static let largestBody = 256 << 20

    /// - Parameter userAgent: what the server's logs and managed fields call this client: `martlet-node-agent`.
    /// - Throws: where the certificates or the key are not valid PEM.
    public init(_ config: Kubeconfig, userAgent: String = "martlet") throws {
        server = config.server
        var headers: HTTPHeaders = ["user-agent": userAgent, "accept": "application/json"]
        switch config.credentials {
        case .none, .certificate: break
        case .token(let token): headers.add(name: "authorization", value: "Bearer \(token)")
        case .password(let user, let password):
            let pair = Data("\(user):\(password)".utf8).base64EncodedString()
            headers.add(name: "authorization", value: "Basic \(pair)")
        }
        self.headers = headers
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try config.tlsConfiguration(), redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(5)
        // By HTTP/1.1 each watch has a connection of its own, and none may wait for another to end.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit { http.shutdown { _ in } }

    public func get(_ type: ResourceType, namespace: String?, name: String) async throws -> Object {
        Object(try await send(.GET, type.path(namespace: namespace, name: name)))
    }

    public func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList {
        let list = try await send(.GET, type.path(namespace: namespace), query: options.query)
        // Items of a list do not repeat their type.
        let items = list["items"].items.map { item in
            var object = Object(item)
            if object["kind"].isNull { object["kind"] = .string(type.kind) }
            if object["apiVersion"].isNull { object["apiVersion"] = .string(type.apiVersion) }
            return object
        }
        let token = list["metadata"]["continue"].string
        return ObjectList(
            items: items, resourceVersion: list["metadata"]["resourceVersion"].string ?? "",
            continueToken: token?.isEmpty == true ? nil : token)
    }

    public func watch(
        _ type: ResourceType, namespace: String?, options: ListOptions
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        let path = type.path(namespace: namespace)
        return AsyncThrowingStream { continuation in
            // The stream owns the task: it ends with its consumer.
            let task = Task {
                do {
                    let response = try await execute(.GET, path, query: [("watch", "true")] + options.query)
                    var lines = LineSplitter()
                    for try await part in response.body {
                        for line in lines.feed(part) {
                            if let event = try WatchEvent(line: line) { continuation.yield(event) }
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    public func create(
        _ type: ResourceType, _ object: Object, namespace: String?, subresource: SubresourcePath?
    ) async throws -> Object {
        let path = type.path(namespace: namespace, name: subresource?.owner, subresource: subresource?.name)
        return Object(try await send(.POST, path, body: object.json))
    }

    public func update(_ type: ResourceType, _ object: Object, subresource: String?) async throws -> Object {
        let path = type.path(namespace: object.namespace, name: object.name, subresource: subresource)
        return Object(try await send(.PUT, path, body: object.json))
    }

    public func patch(
        _ type: ResourceType, namespace: String?, name: String, subresource: String?, _ patch: Patch
    ) async throws -> Object {
        let path = type.path(namespace: namespace, name: name, subresource: subresource)
        let (format, body, query): (String, JSON, [(String, String)]) =
            switch patch {
            case .json(let json): ("json-patch", json, [])
            case .merge(let json): ("merge-patch", json, [])
            case .strategicMerge(let json): ("strategic-merge-patch", json, [])
            case .apply(let object, let manager, let force):
                ("apply-patch", object.json, [("fieldManager", manager), ("force", String(force))])
            }
        // JSON is YAML, which is what apply patches are called.
        let type = format == "apply-patch" ? "application/apply-patch+yaml" : "application/\(format)+json"
        return Object(try await send(.PATCH, path, query: query, contentType: type, body: body))
    }

    public func delete(_ type: ResourceType, namespace: String?, name: String, options: DeleteOptions) async throws {
        _ = try await send(.DELETE, type.path(namespace: namespace, name: name), body: options.json)
    }

    /// Any other request: discovery, `/version`, a collection's deletion.
    ///
    /// - Returns: the answer, `.null` where it has no body. Throws the `Status` of one that is no success.
    @discardableResult
    public func send(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [],
        contentType: String = "application/json", body: JSON? = nil
    ) async throws -> JSON {
        let response = try await execute(
            method, path, query: query, contentType: contentType, body: body, timeout: Self.timeout)
        let bytes = try await response.body.collect(upTo: Self.largestBody)
        return bytes.readableBytes == 0 ? .null : try JSON(decoding: bytes.readableBytesView)
    }

    /// Ends all connections. Requests fail from then on.
    public func shutdown() async { try? await http.shutdown() }

    private func execute(
        _ method: HTTPMethod, _ path: String, query: [(String, String)], contentType: String? = nil, body: JSON? = nil,
        timeout: TimeAmount? = nil
    ) async throws -> HTTPClientResponse {
        var url = server + path
        for (index, (name, value)) in query.enumerated() {
            url += "\(index == 0 ? "?" : "&")\(name)=\(percentEncoded(value))"
        }
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = headers
        if let body {
            request.headers.add(name: "content-type", value: contentType ?? "application/json")
            request.body = .bytes(body.encoded())
        }
        let deadline = timeout.map { NIODeadline.now() + $0 } ?? .distantFuture
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, deadline: deadline)
        } catch let error as HTTPClientError where error == .remoteConnectionClosed && method == .GET {
            // The kept connection ended while it was idle, as the server's restart does it: ask on a new one.
            response = try await http.execute(request, deadline: deadline)
        }
        guard !(200..<300).contains(response.status.code) else { return response }
        let bytes = try await response.body.collect(upTo: Self.largestBody)
        if let json = try? JSON(decoding: bytes.readableBytesView), let status = Status(json) { throw status }
        let text = String(decoding: bytes.readableBytesView.prefix(1024), as: UTF8.self)
        throw Status(
            code: Int(response.status.code), reason: "Unknown",
            message: text.isEmpty ? "the server answered \(response.status)" : text)
    }
}

extension ListOptions {
    /// The options as parameters of a request.
    var query: [(String, String)] {
        var query: [(String, String)] = []
        if let labelSelector { query.append(("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        if let resourceVersion { query.append(("resourceVersion", resourceVersion)) }
        if let limit { query.append(("limit", String(limit))) }
        if let continueToken { query.append(("continue", continueToken)) }
        if allowBookmarks { query.append(("allowWatchBookmarks", "true")) }
        if let timeoutSeconds { query.append(("timeoutSeconds", String(timeoutSeconds))) }
        return query
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
