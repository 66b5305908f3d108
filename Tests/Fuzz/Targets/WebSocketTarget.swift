import NIOCore
import NIOEmbedded
import NIOWebSocket

@testable import APIServer

extension FuzzTarget {
    /// Frames of a client, in pieces as above: whole messages come out, and each has a channel or none.
    static let webSocket = FuzzTarget("websocket", maxLength: 1024) { input in
        guard let size = input.first.map({ Int($0) + 1 }) else { return }
        let bytes = input.dropFirst()
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try channel.pipeline.syncOperations.addHandlers(WebSocketConnection.handlers())
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: size) {
            let piece = bytes[start..<min(start + size, bytes.endIndex)]
            guard (try? channel.writeInbound(ByteBuffer(bytes: piece))) != nil else { break }
        }
        while let frame = try? channel.readInbound(as: WebSocketFrame.self) {
            let message = Array(frame.unmaskedData.readableBytesView)
            for isBase64 in [false, true] {
                guard let (_, payload) = WebSocketCommandClient.decode(message, isBase64: isBase64) else { continue }
                try require(payload.count < max(1, message.count), "a payload of \(payload.count) bytes")
                _ = CommandInput(resize: payload)
            }
        }
    }
}
