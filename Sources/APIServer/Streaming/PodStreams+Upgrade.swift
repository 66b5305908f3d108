import HTTPTypes
import KubernetesModel
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The upgrade of each stream, by protocol.
extension PodStreams {
    func spdyCommand(_ request: APIRequest, _ session: CommandSession, _ streams: CommandStreams) -> Upgrade? {
        let supported = SPDYCommandClient<NIOAsyncChannelInboundStream<ByteBuffer>>.protocols
        let offered = request.headers[values: .streamProtocol].flatMap(Self.list)
        // Without the header, the first version.
        guard let name = offered.isEmpty ? "channel.k8s.io" : offered.first(where: supported.contains) else {
            return nil
        }
        return Upgrade(headers: offered.isEmpty ? [:] : ["X-Stream-Protocol-Version": name]) {
            (connection: UpgradedConnection<ByteBuffer>) in
            await session.run(
                SPDYCommandClient(connection.messages, protocolName: name, streams, write: connection.send))
        }
    }

    func webSocketCommand(_ request: APIRequest, _ session: CommandSession, _ streams: CommandStreams) -> Upgrade? {
        guard let name = Self.subprotocol(request, WebSocketCommandClient.protocols) else { return nil }
        return Self.webSocket(request, name) { socket in
            await session.run(WebSocketCommandClient(socket, protocolName: name, streams))
        }
    }

    func forward(_ request: APIRequest, _ pod: Object, _ socket: String) -> Upgrade? {
        let offered = request.headers[values: .streamProtocol].flatMap(Self.list)
        guard offered.isEmpty || offered.contains(SPDYPortForward.protocolName) else { return nil }
        let forward = SPDYPortForward(socket: socket, podUID: pod.uid, logger: logger)
        return Upgrade(headers: ["X-Stream-Protocol-Version": SPDYPortForward.protocolName]) {
            (connection: UpgradedConnection<ByteBuffer>) in
            await forward.run(connection.messages, write: connection.send)
        }
    }

    func webSocketForward(_ request: APIRequest, _ pod: Object, _ socket: String) -> Upgrade? {
        // kubectl from 1.31 on sends SPDY's bytes in WebSocket messages.
        let tunnel = "SPDY/3.1+\(SPDYPortForward.protocolName)"
        if Self.subprotocol(request, [tunnel]) != nil {
            let forward = SPDYPortForward(socket: socket, podUID: pod.uid, logger: logger)
            return Self.webSocket(request, tunnel) { socket in
                await forward.run(socket.messages) { socket.send(.binary, $0) }
            }
        }
        let ports = request.query.all("ports").flatMap(Self.list).compactMap { Int($0) }
        guard let name = Self.subprotocol(request, ["", "v4.channel.k8s.io"]), !ports.isEmpty,
            ports.allSatisfy({ (1...65535).contains($0) }), ports.count <= 100
        else { return nil }
        let forward = WebSocketPortForward(socket: socket, podUID: pod.uid, ports: ports, logger: logger)
        return Self.webSocket(request, name) { socket in await forward.run(socket) }
    }

    func webSocketLog(_ request: APIRequest, _ pod: Object) async throws -> Upgrade? {
        guard let name = Self.subprotocol(request, WebSocketLog.protocols),
            request.header(.secWebSocketKey) != nil
        else { return nil }
        let log = try await log(request.query, pod)
        return Self.webSocket(request, name) { await WebSocketLog($0, protocolName: name).run(log.body) }
    }

    private static func webSocket(
        _ request: APIRequest, _ name: String, _ serve: @escaping @Sendable (WebSocketConnection) async -> Void
    ) -> Upgrade? {
        let key = request.header(.secWebSocketKey)
        guard let headers = WebSocketConnection.accept(key: key, protocolName: name) else { return nil }
        return Upgrade(headers: headers, handlers: WebSocketConnection.handlers) {
            await serve(WebSocketConnection($0))
        }
    }

    /// The client's first supported subprotocol; an empty one where it offers none and that is supported.
    private static func subprotocol(_ request: APIRequest, _ supported: [String]) -> String? {
        let offered = request.headers[values: .secWebSocketProtocol].flatMap(list)
        if offered.isEmpty { return supported.contains("") ? "" : nil }
        return offered.first { supported.contains($0) }
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
    }
}

extension HTTPField.Name {
    static let streamProtocol = HTTPField.Name("X-Stream-Protocol-Version")!  // a constant token, so the name is valid
}
