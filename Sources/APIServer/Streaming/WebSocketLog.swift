import FoundationEssentials
import NIOCore

/// A log over WebSocket: its bytes in messages, in the variants of `binary.k8s.io`.
struct WebSocketLog: Sendable {
    /// The subprotocols, without one first: then messages are binary.
    static let protocols = ["", "binary.k8s.io", "base64.binary.k8s.io"]

    /// How long a client has to confirm the end. Closing before could discard what it has not read.
    private static let patience = Duration.seconds(2)

    private let messages: Messages
    private let socket: WebSocketConnection

    init(_ socket: WebSocketConnection, protocolName: String) {
        self.socket = socket
        messages = Messages(socket: socket, isBase64: protocolName.hasPrefix("base64"))
    }

    private struct Messages: ByteSink {
        let socket: WebSocketConnection
        let isBase64: Bool

        func write(_ bytes: ByteBuffer) async throws {
            if isBase64 {
                try await socket.send(Array(Data(bytes.readableBytesView).base64EncodedData()), isText: true)
            } else {
                try await socket.send(.binary, bytes).get()
            }
        }
    }

    /// Returns when the log is at its end, or the client gone.
    func run(_ log: APIResponse.Body) async {
        await withTaskGroup(of: Void.self) { group in
            // What the client sends means nothing, but that it is there.
            group.addTask { try? await socket.receive { _ in } }
            group.addTask {
                try? await send(log)
                try? await socket.close(.normalClosure)
                try? await Task.sleep(for: Self.patience)
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func send(_ log: APIResponse.Body) async throws {
        // As upstream: an empty message confirms the connection.
        try await messages.write(ByteBuffer())
        switch log {
        case .bytes(let bytes): try await messages.write(bytes)
        case .stream(let produce): try await produce(messages)
        }
    }
}
