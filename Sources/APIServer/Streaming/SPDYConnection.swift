import NIOCore

/// The server's side of a SPDY/3.1 connection, over whatever carries its bytes.
actor SPDYConnection {
    /// An event of the client's side.
    enum Event: Equatable {
        case opened(stream: Int, headers: [String: String], fin: Bool)
        case data(stream: Int, bytes: [UInt8], fin: Bool)
        case reset(stream: Int)
    }

    /// Sends bytes. It is called in the order of the frames and must keep it; the future completes when the bytes have
    /// been handed to the system.
    typealias Write = @Sendable (ByteBuffer) -> EventLoopFuture<Void>

    private let write: Write
    private let headers = SPDYHeaderCodec()
    private var parser = SPDYFrame.Parser()
    private var lastStream = 0
    private var pings = 0
    /// The number of pongs.
    private(set) var pongs = 0

    /// As large as the Go clients' buffers.
    private static let largestData = 32 << 10

    init(write: @escaping Write) { self.write = write }

    /// Reads bytes of the client; answers its pings.
    func receive(_ bytes: ByteBuffer) async throws -> [Event] {
        var events: [Event] = []
        for frame in try parser.feed(bytes.readableBytesView) {
            switch frame {
            case .synStream(let id, let block, let fin):
                events.append(.opened(stream: id, headers: try headers.decode(block), fin: fin))
                lastStream = max(lastStream, id)
            case .data(let id, let bytes, let fin): events.append(.data(stream: id, bytes: bytes, fin: fin))
            case .reset(let id, _): events.append(.reset(stream: id))
            // The server's own pings have even numbers.
            case .ping(let id): if id.isMultiple(of: 2) { pongs += 1 } else { try await send(frame) }
            // Each block advances the decompression, also of ignored frames.
            case .headers(_, let block), .synReply(_, let block): _ = try headers.decode(block)
            case .goAway, .other: break
            }
        }
        return events
    }

    /// Accepts a stream that the client opened.
    func reply(_ stream: Int) async throws { try await send(.synReply(id: stream, block: headers.encode([:]))) }

    /// Resets a stream.
    func reset(_ stream: Int) async throws { try await send(.reset(id: stream, status: 5)) }

    func send(_ bytes: [UInt8], on stream: Int) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.largestData)
            rest = rest.dropFirst(part.count)
            try await send(.data(id: stream, bytes: Array(part), fin: false))
        }
    }

    /// Closes this side of a stream.
    func finish(_ stream: Int) async throws { try await send(.data(id: stream, bytes: [], fin: true)) }

    /// Pings the client; `receive` counts its pongs.
    func ping() async throws {
        pings += 1
        try await send(.ping(id: 2 * pings))
    }

    func goAway() async throws { try await send(.goAway(last: lastStream)) }

    private func send(_ frame: SPDYFrame) async throws { try await write(ByteBuffer(bytes: frame.encoded)).get() }
}
