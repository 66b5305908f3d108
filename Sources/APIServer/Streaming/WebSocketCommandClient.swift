import FoundationEssentials
import KubernetesModel
import NIOCore
import NIOWebSocket

/// An `exec` or `attach` over WebSocket: messages that begin with the number of a channel, in the variants of
/// `channel.k8s.io`.
final class WebSocketCommandClient: CommandClient {
    /// The subprotocols, without one first: then messages are binary.
    static let protocols = [
        "", "v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", "v4.base64.channel.k8s.io",
        "base64.channel.k8s.io",
    ]

    private enum Channel: UInt8 {
        case stdin = 0
        case stdout, stderr, error, resize
        /// `v5`: the next byte is the channel that is closed.
        case close = 255
    }

    private let socket: WebSocketConnection
    private let isBase64: Bool
    private let hasStatus: Bool
    private let wanted: CommandStreams

    init(_ socket: WebSocketConnection, protocolName: String, _ wanted: CommandStreams) {
        self.socket = socket
        self.wanted = wanted
        isBase64 = protocolName.contains("base64")
        hasStatus = protocolName.hasPrefix("v")
    }

    func receive(_ deliver: (CommandInput) async throws -> Void) async throws {
        // As the kubelet: an empty message confirms the connection.
        if wanted.stdout { try await send(.stdout, []) }
        try await deliver(.ready)
        try await socket.receive { message in
            guard let (number, payload) = Self.decode(message, isBase64: isBase64),
                let channel = Channel(rawValue: number)
            else { return }
            switch channel {
            case .stdin: if wanted.stdin { try await deliver(.stdin(payload)) }
            case .resize: if let input = CommandInput(resize: payload) { try await deliver(input) }
            case .close: if payload.first == Channel.stdin.rawValue { try await deliver(.stdinEnd) }
            case .stdout, .stderr, .error: break
            }
        }
    }

    func ping() async throws { try await socket.ping() }
    var pongs: Int { socket.pongs }

    func write(_ output: CommandOutput, _ bytes: [UInt8]) async throws {
        guard output == .stdout ? wanted.stdout : wanted.stderr else { return }
        try await send(output == .stdout ? .stdout : .stderr, bytes)
    }

    func finish(_ status: JSON) async throws {
        if hasStatus {
            try await send(.error, status.encoded())
        } else if status["status"].string != "Success" {
            try await send(.error, Array((status["message"].string ?? "").utf8))
        }
        try await socket.close(.normalClosure)
    }

    /// A message's channel and payload. In the base64 variants the channel is a digit, and the rest base64.
    static func decode(_ message: [UInt8], isBase64: Bool) -> (UInt8, [UInt8])? {
        guard let first = message.first else { return nil }
        guard isBase64 else { return (first, Array(message.dropFirst())) }
        guard first >= UInt8(ascii: "0"), let data = Data(base64Encoded: Data(message.dropFirst())) else { return nil }
        return (first - UInt8(ascii: "0"), [UInt8](data))
    }

    private func send(_ channel: Channel, _ bytes: [UInt8]) async throws {
        if isBase64 {
            let digit = [UInt8(ascii: "0") + channel.rawValue]
            try await socket.send(digit + Data(bytes).base64EncodedData(), isText: true)
        } else {
            try await socket.send([channel.rawValue] + bytes)
        }
    }
}
