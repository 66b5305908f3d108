import KubernetesModel
import NodeStreams

/// The client of an `exec` or `attach`, whichever protocol it speaks.
protocol CommandClient: Sendable {
    /// Calls `deliver` with all that the client sends, one at a time, until it goes away.
    func receive(_ deliver: (CommandInput) async throws -> Void) async throws
    func write(_ output: CommandOutput, _ bytes: [UInt8]) async throws
    /// Asks the client for a sign of life, which `receive` counts in `pongs`.
    func ping() async throws
    var pongs: Int { get async }
    /// Tells how the session ended, after all output; `status` is a `meta/v1 Status`.
    func finish(_ status: JSON) async throws
}

enum CommandInput: Sendable, Equatable {
    /// The client is there with all the streams that it announced: the command can start.
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

/// Which of a command's streams the client wants.
struct CommandStreams: Sendable {
    var stdin = false
    var stdout = false
    var stderr = false
    var tty = false
}
