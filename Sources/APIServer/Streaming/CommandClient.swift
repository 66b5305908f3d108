import KubernetesModel
import NodeStreams

/// The client of an `exec` or `attach`, in any protocol.
protocol CommandClient: Sendable {
    /// Calls `deliver` with the client's input, one at a time, until it disconnects.
    func receive(_ deliver: (CommandInput) async throws -> Void) async throws
    func write(_ output: CommandOutput, _ bytes: [UInt8]) async throws
    /// Pings the client; `receive` counts the `pongs`.
    func ping() async throws
    var pongs: Int { get async }
    /// Sends the session's result, after all output; `status` is a `meta/v1 Status`.
    func finish(_ status: JSON) async throws
}

enum CommandInput: Sendable, Equatable {
    /// The client has opened all its streams: the command can start.
    case ready
    case stdin([UInt8])
    case stdinEnd
    case resize(TerminalSize)

    /// Reads a terminal's size as clients send it: `{"Width":80,"Height":24}`.
    init?(resize bytes: some Sequence<UInt8>) {
        guard let json = try? JSON(decoding: Array(bytes)), let width = json["Width"].int,
            let height = json["Height"].int
        else { return nil }
        self = .resize(TerminalSize(columns: UInt16(clamping: width), rows: UInt16(clamping: height)))
    }
}

enum CommandOutput: String, Sendable {
    case stdout, stderr
}

/// The streams of a command that the client requests.
struct CommandStreams: Sendable {
    var stdin = false
    var stdout = false
    var stderr = false
    var tty = false
}
