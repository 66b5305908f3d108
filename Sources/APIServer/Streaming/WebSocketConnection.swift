import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOWebSocket
import Synchronization

/// The server's side of a WebSocket (RFC 6455): whole messages, with pings and the closing handshake done here.
struct WebSocketConnection: Sendable {
    private let connection: UpgradedConnection<WebSocketFrame>
    private let answered = Answered()

    /// The max size of a message, over all its frames.
    private static let largestMessage = 16 << 20

    /// What makes whole messages of a client's bytes.
    @Sendable static func handlers() -> [any ChannelHandler] {
        [
            WebSocketFrameEncoder(), ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: largestMessage)),
            WebSocketProtocolErrorHandler(isServer: true),
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 4096, maxAccumulatedFrameSize: largestMessage),
        ]
    }

    /// The headers that accept a client's handshake; nil where it is none.
    static func accept(key: String?, protocolName: String) -> HTTPHeaders? {
        guard let key else { return nil }
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        var headers: HTTPHeaders = ["Sec-WebSocket-Accept": Data(digest).base64EncodedString()]
        if !protocolName.isEmpty { headers.add(name: "Sec-WebSocket-Protocol", value: protocolName) }
        return headers
    }

    init(_ connection: UpgradedConnection<WebSocketFrame>) { self.connection = connection }

    /// Calls `deliver` with each message until the client closes or disconnects.
    func receive(_ deliver: ([UInt8]) async throws -> Void) async throws {
        for try await message in messages { try await deliver(Array(message.readableBytesView)) }
    }

    /// The messages until the client closes or disconnects.
    var messages: Messages { Messages(connection: self) }

    struct Messages: AsyncSequence, Sendable {
        let connection: WebSocketConnection

        struct AsyncIterator: AsyncIteratorProtocol {
            var frames: UpgradedConnection<WebSocketFrame>.Messages.AsyncIterator
            let connection: WebSocketConnection

            mutating func next() async throws -> ByteBuffer? {
                while let frame = try await frames.next() {
                    switch frame.opcode {
                    case .binary, .text: return frame.unmaskedData
                    case .ping: try await connection.send(.pong, frame.unmaskedData).get()
                    case .pong: connection.answered.count.add(1, ordering: .relaxed)
                    case .connectionClose: return nil
                    default: break
                    }
                }
                return nil
            }
        }

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(frames: connection.connection.messages.makeAsyncIterator(), connection: connection)
        }
    }

    /// Pings the client; reading `messages` counts its pongs.
    func ping() async throws { try await send(.ping, ByteBuffer()).get() }
    /// The number of pongs.
    var pongs: Int { answered.count.load(ordering: .relaxed) }

    private final class Answered: Sendable {
        let count = Atomic(0)
    }

    func send(_ bytes: [UInt8], isText: Bool = false) async throws {
        try await send(isText ? .text : .binary, ByteBuffer(bytes: bytes)).get()
    }

    /// Sends a frame, in the order of calls.
    func send(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer) -> EventLoopFuture<Void> {
        connection.send(WebSocketFrame(fin: true, opcode: opcode, data: bytes))
    }

    func close(_ code: WebSocketErrorCode) async throws {
        var bytes = ByteBuffer()
        bytes.write(webSocketErrorCode: code)
        try await send(.connectionClose, bytes).get()
    }
}
