import Foundation
import KubernetesModel
import Logging
import NodeStreams
import Synchronization
import Testing

@testable import APIServer

/// When a command with a terminal starts, and with which size.
@Suite struct CommandSessionTests {
    /// What a client does in its turns: it answers one ping in each.
    enum Action: Sendable {
        case send(CommandInput)
        case turn
    }

    /// A client that is as slow as its actions say.
    private final class Client: CommandClient {
        private let actions: [Action]
        private let asked = AsyncStream.makeStream(of: Void.self)
        private let left = AsyncStream.makeStream(of: Void.self)
        private let answered = Atomic(0)
        let output = Mutex("")

        init(_ actions: [Action]) { self.actions = actions }

        func receive(_ deliver: (CommandInput) async throws -> Void) async throws {
            try await deliver(.ready)
            var pings = asked.stream.makeAsyncIterator()
            for action in actions {
                switch action {
                case .send(let input): try await deliver(input)
                case .turn:
                    _ = await pings.next()
                    answered.add(1, ordering: .relaxed)
                }
            }
            // It stays until it has the result, and goes on to answer.
            await withDiscardingTaskGroup { group in
                group.addTask { [self] in
                    for await _ in asked.stream { answered.add(1, ordering: .relaxed) }
                }
                for await _ in left.stream {}
                group.cancelAll()
            }
        }

        func ping() async throws { asked.continuation.yield() }
        var pongs: Int { answered.load(ordering: .relaxed) }
        func write(_ output: CommandOutput, _ bytes: [UInt8]) async throws {
            self.output.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        }
        func finish(_ status: JSON) async throws { left.continuation.finish() }
    }

    private static let size = TerminalSize(columns: 100, rows: 30)

    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            ([.send(.resize(size))], size, ""),
            ([.send(.stdin([0x61])), .send(.resize(size)), .send(.stdin([0x62]))], size, "ab"),
            ([Action](repeating: .turn, count: 15) + [.send(.stdin([0x61])), .send(.resize(size))], size, "a"),
            ([.send(.stdin([0x61])), .send(.stdinEnd)], nil, "a"), ([], nil, ""),
        ] as [([Action], TerminalSize?, String)])
    func theSizeIsKnownAtTheStart(actions: [Action], size: TerminalSize?, input: String) async throws {
        let socket = NSTemporaryDirectory() + "command-\(UUID().uuidString.prefix(8)).sock"
        defer { unlink(socket) }
        let server = try await StreamServer.bind(socket: socket)
        let expected = input.utf8.count
        let (sizes, started) = AsyncStream.makeStream(of: TerminalSize?.self)
        let serving = Task {
            try await server.run { request, incoming in
                guard case .exec(let exec) = request else { throw Status.badRequest("only exec here") }
                started.yield(exec.terminalSize)
                let session = try await incoming.accept()
                var count = 0
                while count < expected, let frame = try await session.next() {
                    guard frame.channel == .stdin else { continue }
                    count += frame.payload.count
                    try await session.send(.stdout, frame.payload)
                }
                try await session.send(StreamFrame(.result, ["status": "Success"]))
            }
        }
        let request = ExecRequest(
            namespace: "n", pod: "p", podUID: "u", container: "c", command: ["sh"], stdin: true, stdout: true,
            stderr: false, tty: true)
        let client = Client(actions)
        // Turns alone count here, whatever time they take on a busy machine.
        await CommandSession(
            socket: socket, request: .exec(request), hasTerminal: true, logger: Logger(label: "test"),
            maxSizeWait: .seconds(600)
        ).run(client)
        #expect(await sizes.first { _ in true } == .some(size))
        #expect(client.output.withLock { $0 } == input)
        serving.cancel()
        try? await serving.value
    }

    /// A client that is ready, and then does nothing until it is cancelled.
    private final class IdleClient: CommandClient {
        let ready = AsyncStream.makeStream(of: Void.self)

        func receive(_ deliver: (CommandInput) async throws -> Void) async throws {
            try await deliver(.ready)
            ready.continuation.yield()
            for await _ in AsyncStream<Void>.makeStream().stream {}
        }

        func ping() async throws {}
        var pongs: Int { 0 }
        func write(_ output: CommandOutput, _ bytes: [UInt8]) async throws {}
        func finish(_ status: JSON) async throws {}
    }

    /// The server ends while a command's client is ready and the terminal's size is waited for still.
    @Test func aSessionThatNeverStartsEnds() async throws {
        let request = ExecRequest(
            namespace: "n", pod: "p", podUID: "u", container: "c", command: ["sh"], stdin: true, stdout: true,
            stderr: false, tty: true)
        let client = IdleClient()
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let session = Task {
            await CommandSession(
                socket: "/nonexistent", request: .exec(request), hasTerminal: true, logger: Logger(label: "test"),
                maxSizeWait: .seconds(600)
            ).run(client)
            end.yield()
        }
        await client.ready.stream.first { true }
        session.cancel()
        let hasEnded = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await ends.first { true } != nil }
            group.addTask {
                try? await Task.sleep(for: .seconds(20))
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        #expect(hasEnded)
    }
}
