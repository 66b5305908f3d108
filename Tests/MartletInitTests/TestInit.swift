/// MartletInitTests: `martlet-init` by its arguments and its protocol (CInitProtocol), without the node agent.

import CInitProtocol
import Glibc
import Linux
import TestSupport
import Testing

/// `MARTLET_TEST_INIT` is another build of it (`scripts/test-sanitized`).
let initProgram = getenv("MARTLET_TEST_INIT").map { String(cString: $0) } ?? Products.path("martlet-init")

/// A directory of a test's own.
final class TestDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/martlet-init-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { try? removeTree(path) }
}

/// Runs `martlet-init` until it ends.
func runInit(
    _ arguments: [String], environment: [String] = ["PATH=/usr/bin:/bin"]
) async throws -> (status: Linux.ExitStatus, output: String, errors: String) {
    let (output, errors) = (try makePipe(), try makePipe())
    let pid = try Spawn(
        [initProgram] + arguments, environment: environment,
        descriptors: [(own: output.writer, child: 1), (own: errors.writer, child: 2)]
    ).start()
    output.writer.close()
    errors.writer.close()
    let texts = try await Blocking.run { () throws(SystemError) in
        (try output.reader.readToEnd(), try errors.reader.readToEnd())
    }
    var status: Linux.ExitStatus?
    try await eventually("martlet-init ends") {
        status = Linux.ExitStatus.reap(pid)
        return status != nil
    }
    return (
        try #require(status), String(decoding: texts.0, as: UTF8.self), String(decoding: texts.1, as: UTF8.self)
    )
}

/// A pod's init on the host's network, and a connection to it.
final class TestInit: Sendable {
    let directory: TestDirectory
    let pid: Int32
    private let socket: PacketSocket

    init(sharesProcesses: Bool = false) async throws {
        let directory = try TestDirectory()
        self.directory = directory
        let listener = try PacketSocket.listen(directory.path + "/s")
        let output = try makePipe()
        let exits = try Descriptor.open(directory.path + "/exits", O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        var arguments = ["pod", "--socket-fd", "3", "--exits-fd", "4", "--hostname", "pod"]
        if sharesProcesses { arguments.append("--share-processes") }
        let starter = try Spawn(
            [initProgram] + arguments + ["--host-network", "--host-ipc"], environment: [],
            descriptors: [
                (own: listener.descriptor, child: 3), (own: SharedDescriptor(exits), child: 4),
                (own: output.writer, child: 1),
            ]
        ).start()
        output.writer.close()
        let text = try await Blocking.run { () throws(SystemError) in try output.reader.readToEnd() }
        try await eventually("what started the init ends") { Linux.ExitStatus.reap(starter) != nil }
        pid = try #require(Int32(String(decoding: text, as: UTF8.self).dropLast()))
        socket = try PacketSocket.connect(directory.path + "/s")
        try socket.requestCredentials()
        // Not hung up: the init has it too.
        listener.descriptor.close()
    }

    deinit {
        socket.close()
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    var exits: String { (try? readFile(directory.path + "/exits")) ?? "" }
    func log(_ name: String) -> String { (try? readFile("\(directory.path)/\(name).log")) ?? "" }

    func connect() throws -> PacketSocket { try PacketSocket.connect(directory.path + "/s") }

    struct Message {
        let type: UInt8
        let status: Int32
        let tag: UInt32
        let body: [UInt8]
        let descriptors: [SharedDescriptor]
        let process: Int32

        var event: InitEvent? { InitEvent(rawValue: type) }
        func number(_ index: Int) -> UInt32 {
            body.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self) }
        }
        func text(from offset: Int) -> String { String(decoding: body.dropFirst(offset).dropLast(), as: UTF8.self) }
    }

    func send(_ bytes: [UInt8], _ descriptors: [SharedDescriptor] = []) throws {
        try socket.send(bytes, descriptors: descriptors)
    }

    func receive() async throws -> Message {
        let message = try await Blocking.run { [socket] () throws(SystemError) in try socket.receive() }
        let bytes = message.bytes
        try #require(bytes.count >= MemoryLayout<InitHeader>.size, "the init has closed the connection")
        let header = bytes.withUnsafeBytes { $0.loadUnaligned(as: InitHeader.self) }
        return Message(
            type: header.type, status: Int32(header.status), tag: header.tag,
            body: Array(bytes.dropFirst(MemoryLayout<InitHeader>.size)), descriptors: message.descriptors,
            process: message.process)
    }

    /// Sends a request and returns its answer; events before it go to `events`.
    @discardableResult
    func request(
        _ type: UInt8, flags: InitFlags = [], tag: UInt32 = 1, body: [UInt8] = [],
        _ descriptors: [SharedDescriptor] = [],
        events: ((Message) -> Void)? = nil
    ) async throws -> Message {
        let header = InitHeader(type: type, flags: UInt8(flags.rawValue), status: 0, tag: tag)
        try send(withUnsafeBytes(of: header) { Array($0) } + body, descriptors)
        while true {
            let message = try await receive()
            if message.type == type | UInt8(answer_bit) { return message }
            events?(message)
        }
    }

    @discardableResult
    func request(
        _ type: InitRequest, flags: InitFlags = [], tag: UInt32 = 1, body: [UInt8] = [],
        _ descriptors: [SharedDescriptor] = []
    ) async throws -> Message {
        try await request(type.rawValue, flags: flags, tag: tag, body: body, descriptors)
    }

    /// Starts a container with a process that carries out `operations`, after it has got its root.
    ///
    /// - Parameter root: the host's where it is nil.
    /// - Parameter mounts: the first has the place 3 in the list of descriptors.
    func start(
        _ name: String, flags: InitFlags = [], root: DetachedMount? = nil, mounts: [SharedDescriptor] = [],
        _ operations: [[UInt8]]
    ) async throws -> Message {
        let before = root == nil ? [operation(.root, [1]), operation(.pivot)] : [operation(.root, [1])]
        let logs = try Descriptor.open(directory.path, O_PATH | O_DIRECTORY)
        return try await request(
            .start, flags: flags, body: numbers(UInt32(2), UInt32(0)) + terminated(name, "\(name).log", ""),
            [
                try makeMemoryFile("operations", (before + operations).flatMap { $0 }),
                try root?.descriptor ?? DetachedMount(of: "/").descriptor, SharedDescriptor(logs),
            ] + mounts)
    }

    /// Starts a container that runs a shell, in the host's root.
    @discardableResult
    func shell(_ name: String, flags: InitFlags = [], _ script: String) async throws -> Message {
        let answer = try await start(name, flags: flags, [execute(["sh", "-c", script])])
        try #require(answer.status == 0, "\(answer)")
        return answer
    }

    /// Waits for the event of a container's end. `list` must have been asked for.
    func end(of name: String) async throws -> Message {
        while true {
            let message = try await receive()
            if message.event == .state, message.number(0) == 0, message.text(from: 44) == name { return message }
        }
    }
}

func terminated(_ texts: String...) -> [UInt8] { texts.flatMap { Array($0.utf8) + [0] } }

func numbers<Number: FixedWidthInteger>(_ values: Number...) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

/// An operation as the list has it.
func operation(_ type: InitOperation, _ values: [UInt64] = [], _ texts: [String] = []) -> [UInt8] {
    let body = values.flatMap { numbers($0) } + texts.flatMap { terminated($0) }
    return numbers(type.rawValue, UInt32(body.count)) + body
}

func execute(_ arguments: [String], environment: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]) -> [UInt8] {
    operation(.execute, [UInt64(arguments.count), UInt64(environment.count)], arguments + environment)
}
