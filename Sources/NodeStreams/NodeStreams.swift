/// NodeStreams: the streams between the API server and a node agent (logs, exec, attach, port-forward).
///
/// One connection to the agent's Unix socket carries one session. It begins with a `StreamRequest`, answered by a
/// `StreamResponse`; after that both sides send frames. It carries bytes only: the state of pods goes through the API.

import KubernetesModel

/// What a session is for; the first frame of a connection, as JSON.
public enum StreamRequest: Sendable, Hashable {
    case logs(LogRequest)
    case exec(ExecRequest)
    case attach(ExecRequest)
    /// The ports to forward; each connection is an own session with one port.
    case portForward(podUID: String, port: Int)
    /// The node's and its pods' use of resources, as `/stats/summary` has it.
    case statistics
    /// The containers that run on the node; a list of `RunningContainer`.
    case containers
}

public struct LogRequest: Sendable, Hashable {
    public var namespace: String
    public var pod: String
    public var podUID: String
    public var container: String
    public var previous = false
    public var follow = false
    public var timestamps = false
    public var sinceSeconds: Int?
    public var sinceTime: Timestamp?
    public var tailLines: Int?
    public var limitBytes: Int?

    public init(namespace: String, pod: String, podUID: String, container: String) {
        self.namespace = namespace
        self.pod = pod
        self.podUID = podUID
        self.container = container
    }
}

/// A terminal's size in characters.
public struct TerminalSize: Sendable, Hashable {
    public var columns: UInt16
    public var rows: UInt16

    public init(columns: UInt16, rows: UInt16) {
        self.columns = columns
        self.rows = rows
    }

    /// Reads a `resize` frame's payload; nil for other JSON.
    public init?(_ json: JSON) {
        guard let columns = json["width"].int, let rows = json["height"].int else { return nil }
        self.init(columns: UInt16(clamping: columns), rows: UInt16(clamping: rows))
    }

    public var json: JSON { ["width": JSON(Int(columns)), "height": JSON(Int(rows))] }
}

public struct ExecRequest: Sendable, Hashable {
    public var namespace: String
    public var pod: String
    public var podUID: String
    public var container: String
    /// Empty for `attach`.
    public var command: [String]
    public var stdin: Bool
    public var stdout: Bool
    public var stderr: Bool
    public var tty: Bool
    /// The client's terminal's size, if known before the start.
    public var terminalSize: TerminalSize?

    public init(
        namespace: String, pod: String, podUID: String, container: String, command: [String], stdin: Bool,
        stdout: Bool, stderr: Bool, tty: Bool
    ) {
        self.namespace = namespace
        self.pod = pod
        self.podUID = podUID
        self.container = container
        self.command = command
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.tty = tty
    }
}

/// A frame's channel: one byte, then four bytes of length (big endian), then the payload.
public enum StreamChannel: UInt8, Sendable {
    /// The request, from the client; JSON.
    case request = 0
    /// The answer to it: `{}` or a `Status`; JSON.
    case response = 1
    case stdin = 2
    /// Output, log bytes, or the bytes of a forwarded connection in either direction.
    case stdout = 3
    case stderr = 4
    /// `{"width": columns, "height": rows}`
    case resize = 5
    /// The sender will send no more on stdin (client) or on the forwarded connection.
    case end = 6
    /// How the session ended: a `meta/v1 Status` as exec's error channel has it (`Success`, or `NonZeroExitCode`).
    case result = 7
}
