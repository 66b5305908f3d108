import CLinux
import Glibc
import Linux
import SystemPackage

/// The pipes of a program's standard streams.
struct ExecPipes: Sendable {
    private(set) var stdin: FileDescriptor?
    private(set) var stdout: FileDescriptor?
    private(set) var stderr: FileDescriptor?
    /// The program's ends: `/dev/null` where a stream is not wanted.
    private(set) var theirs: [FileDescriptor] = []

    init(stdin: Bool, stdout: Bool, stderr: Bool) throws(SystemError) {
        self.init()
        do throws(SystemError) {
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
        } catch {
            closeTheirs()
            closeOurs()
            throw error
        }
    }

    private init() {}

    private mutating func add(
        _ wanted: Bool, _ keep: (inout ExecPipes, FileDescriptor, FileDescriptor) -> Void
    ) throws(SystemError) {
        guard wanted else { return theirs.append(try Self.nothing()) }
        let (reader, writer) = try makePipe()
        keep(&self, reader, writer)
    }

    private static func nothing() throws(SystemError) -> FileDescriptor {
        let descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", "/dev/null") }
        return FileDescriptor(rawValue: descriptor)
    }

    func closeTheirs() { for descriptor in theirs { try? descriptor.close() } }
    func closeOurs() { for case let descriptor? in [stdin, stdout, stderr] { try? descriptor.close() } }
}

/// A program run in a container.
struct SandboxExec: ExecSession {
    let pod: PodSandbox
    let tag: UInt32
    /// Nil where it had ended before its start was reported.
    let process: ProcessIdentity?
    let stdin: FileDescriptor?
    let stdout: FileDescriptor?
    let stderr: FileDescriptor?

    func resize(columns: UInt16, rows: UInt16) async throws {
        if let stdout { clinux_set_window(stdout.rawValue, columns, rows) }
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
    let stdin: FileDescriptor?
    let stdout: FileDescriptor?
    let stderr: FileDescriptor?

    func resize(columns: UInt16, rows: UInt16) async throws {
        // Of a pipe the kernel refuses it, rightly.
        if let stdin { clinux_set_window(stdin.rawValue, columns, rows) }
    }

    func wait() async throws -> Int32 { await pod.end(of: container) }

    func kill() async {}
}
