import CLinux
import Glibc
import Linux

/// The pipes of a program's standard streams.
struct ExecPipes: Sendable {
    private(set) var stdin: SharedDescriptor?
    private(set) var stdout: SharedDescriptor?
    private(set) var stderr: SharedDescriptor?
    /// The program's ends; nil where a stream is not wanted.
    private(set) var theirs: [SharedDescriptor?] = []

    init(stdin: Bool, stdout: Bool, stderr: Bool) throws(SystemError) {
        try add(stdin) { pipes, reader, writer in
            pipes.theirs.append(reader)
            pipes.stdin = writer
        }
        try add(stdout) { pipes, reader, writer in
            pipes.theirs.append(writer)
            pipes.stdout = reader
        }
        try add(stderr) { pipes, reader, writer in
            pipes.theirs.append(writer)
            pipes.stderr = reader
        }
    }

    private mutating func add(
        _ wanted: Bool, _ keep: (inout ExecPipes, SharedDescriptor, SharedDescriptor) -> Void
    ) throws(SystemError) {
        guard wanted else { return theirs.append(nil) }
        let (reader, writer) = try makePipe()
        keep(&self, reader, writer)
    }

    /// So that the program's end is the pipes' end.
    func closeTheirs() { for descriptor in theirs { descriptor?.close() } }
}

/// A program run in a container.
struct SandboxExec: ExecSession {
    let pod: PodSandbox
    let tag: UInt32
    /// Nil where it had ended before its start was reported.
    let process: ProcessIdentity?
    let stdin: SharedDescriptor?
    let stdout: SharedDescriptor?
    let stderr: SharedDescriptor?

    func resize(columns: UInt16, rows: UInt16) async throws {
        try stdout?.withRawValue { _ = clinux_set_window($0, columns, rows) }
    }

    func wait() async throws -> Int32 { try await pod.execEnd(tag) }

    func kill() async {
        // It leads a session, so that its process group has what it started, too.
        if let process, process.isRunning { Glibc.kill(-process.pid, SIGKILL) }
    }
}

/// The streams of a container's first process.
struct SandboxAttachment: ExecSession {
    let pod: PodSandbox
    let container: ContainerID
    let stdin: SharedDescriptor?
    let stdout: SharedDescriptor?
    let stderr: SharedDescriptor?

    func resize(columns: UInt16, rows: UInt16) async throws {
        // Of a pipe the kernel refuses it, rightly.
        if let stdin, !stdin.isClosed { try stdin.withRawValue { _ = clinux_set_window($0, columns, rows) } }
    }

    func wait() async throws -> Int32 { await pod.end(of: container) }

    func kill() async {}
}
