import ClusterLayout
import Glibc
import Linux
import Logging

/// A `martlet-init hold`: a process that does nothing but keep namespaces open, also while the supervisor is dead.
struct NamespaceHolder: Sendable {
    let process: ProcessIdentity

    /// Adopts the holder called `name`, or starts one: in the namespaces that its predecessor left to `members`, or
    /// with new ones within those of `outer`, or within the host's.
    static func ensure(
        _ name: String, within outer: NamespaceHolder?, members: [String], programs: Programs, paths: ClusterPaths
    ) async throws -> NamespaceHolder {
        if let known = try Files.text(paths.pidFile(name)).flatMap(ProcessIdentity.init(_:)), known.isRunning {
            return NamespaceHolder(process: known)
        }
        if let successor = try await succeed(name, members: members, programs: programs, paths: paths) {
            return successor
        }
        let arguments = [programs.initializer, "hold", "--mnt", "--net"]
        return try await start(name, arguments, in: outer?.process.pid, programs: programs, paths: paths)
    }

    /// Starts a holder for the namespaces of one that was killed. They live on as long as there is a process in them:
    /// `members` are the components that may be. Nil where none of them runs.
    static func succeed(
        _ name: String, members: [String], programs: Programs, paths: ClusterPaths
    ) async throws -> NamespaceHolder? {
        for member in members {
            guard let process = try Files.text(paths.pidFile(member)).flatMap(ProcessIdentity.init(_:)),
                process.isRunning, Self.isInside(process.pid)
            else { continue }
            let arguments = [programs.initializer, "hold", "--present"]
            return try await start(name, arguments, in: process.pid, programs: programs, paths: paths)
        }
        return nil
    }

    /// Whether a process has entered namespaces; one that was only just started is still in this process's own.
    private static func isInside(_ pid: pid_t) -> Bool {
        func namespace(_ process: String) -> ino_t? {
            var information = stat()
            return stat("/proc/\(process)/ns/net", &information) == 0 ? information.st_ino : nil
        }
        return namespace("\(pid)").map { $0 != namespace("self") } ?? false
    }

    private static func start(
        _ name: String, _ holding: [String], in outer: pid_t?, programs: Programs, paths: ClusterPaths
    ) async throws -> NamespaceHolder {
        let (reader, writer) = try makePipe()
        let (awaited, go) = try makePipe()
        // Open here too until the end: writing to a pipe that nobody reads would be a signal.
        defer { awaited.close() }
        let log = try Files.openLog(paths.log(name), emptied: true)
        var arguments = holding + ["--ready-fd", "3", "--await-go", "--sockets"]
        if let outer {
            arguments = [programs.initializer, "enter", "--pid", "\(outer)", "--net", "--mnt", "--"] + arguments
        }
        let spawn = Spawn(
            arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            descriptors: [(awaited, 0), (writer, 3), (log, 1), (log, 2)], newSession: true)
        let started = Result { () throws(SystemError) in try spawn.start() }
        writer.close()
        // Something, or nothing where the holder ends without a word.
        let ready = await Blocking.run {
            var byte: UInt8 = 0
            return (try? reader.withRawValue { read($0, &byte, 1) }) == 1
        }
        let pid = try started.get()
        guard ready, let process = ProcessIdentity(pid: pid) else {
            let how = ExitStatus.reap(pid).map(String.init(describing:)) ?? "did not come up"
            throw SupervisorError.component(
                name: name, problem: how, lastWords: Files.tail(paths.log(name), lines: 4), log: paths.log(name))
        }
        // A holder of which nobody knows would stay for ever: it goes on only once it is written down, and ends where
        // this process ends before that.
        try Files.write(Array(process.description.utf8), to: paths.pidFile(name))
        try go.write([1])
        return NamespaceHolder(process: process)
    }
}

/// Where the project's own executables are.
public struct Programs: Sendable {
    /// `martlet` itself.
    public let martlet: String
    /// `martlet-init`, beside it.
    public let initializer: String

    /// Finds them by the path of this very process.
    public init() throws(SupervisorError) {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        var path = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        // What the kernel appends once the file has been replaced, as an upgrade does.
        if path.hasSuffix(" (deleted)") { path.removeLast(" (deleted)".count) }
        martlet = path
        initializer =
            path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/martlet-init"
        guard access(initializer, X_OK) == 0 else {
            throw .file(
                path: initializer, problem: "martlet-init is missing",
                remedy: "it belongs beside martlet; install both with: make install")
        }
    }

    /// The file of a node shape that came with the program: beside it where it is installed
    /// (`<prefix>/share/martlet/nodes`), else in the tree that it was built in.
    public func shape(named name: String) -> String? {
        let directory = martlet.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        return ["\(directory)/../share/martlet/nodes", "\(directory)/../../../nodes"]
            .map { "\($0)/\(name).yaml" }.first { access($0, R_OK) == 0 }
    }
}
