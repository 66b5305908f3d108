import KubernetesModel
import NIOCore

/// An `exec` or `attach` over SPDY, as `v4.channel.k8s.io` and its predecessors define it: one stream a kind, which the
/// header `streamtype` names.
final class SPDYCommandClient<Bytes: AsyncSequence & Sendable>: CommandClient
where Bytes.Element == ByteBuffer {
    /// The subprotocols in use here. From `v4` on the error stream has a `Status`, before that plain text.
    static var protocols: [String] {
        ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]
    }

    /// The numbers of the streams, by their types.
    private actor Streams {
        private(set) var ids: [String: Int] = [:]

        func add(_ type: String, _ id: Int) -> Int {
            ids[type] = id
            return ids.count
        }
    }

    private let bytes: Bytes
    private let connection: SPDYConnection
    private let protocolName: String
    private let expected: Int
    private let streams = Streams()

    init(
        _ bytes: Bytes, protocolName: String, _ wanted: CommandStreams, write: @escaping SPDYConnection.Write
    ) {
        self.bytes = bytes
        self.protocolName = protocolName
        connection = SPDYConnection(write: write)
        let hasResize = wanted.tty && ["v4.channel.k8s.io", "v3.channel.k8s.io"].contains(protocolName)
        expected = 1 + [wanted.stdin, wanted.stdout, wanted.stderr && !wanted.tty, hasResize].count { $0 }
    }

    func receive(_ deliver: (CommandInput) async throws -> Void) async throws {
        var types: [Int: String] = [:]
        for try await bytes in bytes {
            for event in try await connection.receive(bytes) {
                switch event {
                case .opened(let id, let headers, let fin):
                    let type = headers["streamtype"] ?? ""
                    types[id] = type
                    try await connection.reply(id)
                    let count = await streams.add(type, id)
                    if count == expected { try await deliver(.ready) }
                    if fin, type == "stdin" { try await deliver(.stdinEnd) }
                case .data(let id, let bytes, let fin):
                    switch types[id] {
                    case "stdin":
                        if !bytes.isEmpty { try await deliver(.stdin(bytes)) }
                        if fin { try await deliver(.stdinEnd) }
                    case "resize":
                        // Sizes in quick succession may come in one frame, a line each.
                        for line in bytes.split(separator: UInt8(ascii: "\n")) {
                            if let input = CommandInput(resize: line) { try await deliver(input) }
                        }
                    default: break
                    }
                case .reset(let id): if types[id] == "stdin" { try await deliver(.stdinEnd) }
                }
            }
        }
    }

    func ping() async throws { try await connection.ping() }
    var pongs: Int { get async { await connection.pongs } }

    func write(_ output: CommandOutput, _ bytes: [UInt8]) async throws {
        guard let stream = await streams.ids[output.rawValue] else { return }
        try await connection.send(bytes, on: stream)
    }

    func finish(_ status: JSON) async throws {
        let ids = await streams.ids
        for type in ["stdout", "stderr"] { if let stream = ids[type] { try await connection.finish(stream) } }
        guard let stream = ids["error"] else { return }
        if protocolName.hasPrefix("v4") {
            try await connection.send(status.encoded(), on: stream)
        } else if status["status"].string != "Success" {
            try await connection.send(Array((status["message"].string ?? "").utf8), on: stream)
        }
        try await connection.finish(stream)
    }
}
