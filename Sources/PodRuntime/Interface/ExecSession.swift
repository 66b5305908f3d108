import Linux

/// How to run one more program in a container.
package struct ExecConfiguration: Sendable {
    package var container: ContainerID
    package var arguments: [String]
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool
    package var terminal: Bool
    /// The terminal's size when the program starts, if it is known.
    package var terminalSize: WindowSize?

    package init(
        container: ContainerID, arguments: [String], stdin: Bool = false, stdout: Bool = true, stderr: Bool = true,
        terminal: Bool = false, terminalSize: WindowSize? = nil
    ) {
        self.terminalSize = terminalSize
        self.container = container
        self.arguments = arguments
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.terminal = terminal
    }
}

/// A running program's streams. With a terminal, `stdin` and `stdout` are both its master side.
package protocol ExecSession: Sendable {
    /// Write here; closing it is the program's end of input.
    var stdin: SharedDescriptor? { get }
    var stdout: SharedDescriptor? { get }
    var stderr: SharedDescriptor? { get }
    func resize(columns: UInt16, rows: UInt16) async throws
    /// Waits for the program's end; returns its exit code, or 128 + signal.
    func wait() async throws -> Int32
    /// Kills the program that was executed for this session; a container's own, to which one is attached, is not.
    func kill() async
}

/// A terminal's size in characters.
package struct WindowSize: Sendable, Hashable {
    package var columns: UInt16
    package var rows: UInt16

    package init(columns: UInt16, rows: UInt16) {
        self.columns = columns
        self.rows = rows
    }
}
