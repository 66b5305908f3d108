import KubernetesModel

/// One piece of a session's traffic.
public struct StreamFrame: Sendable, Hashable {
    public var channel: StreamChannel
    public var payload: [UInt8]

    /// The max payload; a larger one is a fault of the sender.
    public static let largestPayload = 1 << 20
    static let headerLength = 5

    public init(_ channel: StreamChannel, _ payload: [UInt8] = []) {
        self.channel = channel
        self.payload = payload
    }

    public init(_ channel: StreamChannel, _ json: JSON) { self.init(channel, json.encoded()) }

    /// The frame as it goes over the wire.
    public var encoded: [UInt8] {
        let length = UInt32(payload.count)
        let header = [channel.rawValue] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        return header + payload
    }

    /// The payload as JSON, `{}` where it is empty.
    ///
    /// - Throws: `StreamFault` where it is something else.
    public func json() throws(StreamFault) -> JSON {
        if payload.isEmpty { return [:] }
        do {
            return try JSON(decoding: payload)
        } catch {
            throw StreamFault("the payload on channel \(channel) is not JSON: \(error)")
        }
    }
}

/// The other side did not keep to the protocol, or went away before its time.
public struct StreamFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Cuts a stream of bytes into frames.
public struct StreamFrameParser: Sendable {
    private var bytes: [UInt8] = []
    private var position = 0

    public init() {}

    /// Whether a frame has begun that is not complete.
    public var isWithinFrame: Bool { position < bytes.count }

    public mutating func feed(_ more: some Sequence<UInt8>) {
        if position > 0 {
            bytes.removeFirst(position)
            position = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next complete frame; nil where more bytes are needed.
    public mutating func next() throws(StreamFault) -> StreamFrame? {
        guard bytes.count - position >= StreamFrame.headerLength else { return nil }
        guard let channel = StreamChannel(rawValue: bytes[position]) else {
            throw StreamFault("a frame has the unknown channel \(bytes[position])")
        }
        let length = bytes[position + 1..<position + 5].reduce(0) { $0 << 8 | Int($1) }
        guard length <= StreamFrame.largestPayload else {
            throw StreamFault("a frame of \(length) bytes is larger than \(StreamFrame.largestPayload)")
        }
        let start = position + StreamFrame.headerLength
        guard bytes.count >= start + length else { return nil }
        position = start + length
        return StreamFrame(channel, Array(bytes[start..<position]))
    }
}
