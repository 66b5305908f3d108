import KubernetesModel
import Logging
import NodeStreams

/// An `exec` or `attach`: carries bytes between a client and the node agent until the command or a connection ends.
struct CommandSession: Sendable {
    /// The node agent's socket.
    let socket: String
    let request: StreamRequest
    /// Whether the command has a terminal, whose size should be known when it starts.
    let hasTerminal: Bool
    let logger: Logger
    /// The max time to wait for the terminal's size.
    var maxSizeWait = Duration.seconds(3)

    /// How long a client has to read the end and disconnect. Closing before could discard what it has not read.
    private static let patience = Duration.seconds(2)
    /// For how many round trips to the client a command with a terminal waits for the terminal's size. Clients send it
    /// first, if ever; round trips take as long as the client and the machine are busy.
    private static let sizePatience = 20
    /// The min duration of a round trip.
    private static let turn = Duration.milliseconds(10)

    func run(_ client: some CommandClient) async {
        let opened = Opened()
        // The first element starts the command; the stream ends when the client has disconnected.
        let (starts, start) = AsyncStream.makeStream(of: TerminalSize?.self)
        let (readiness, ready) = AsyncStream.makeStream(of: Void.self)
        await withDiscardingTaskGroup { group in
            group.addTask {
                await receive(client, opened, ready: { ready.yield() }, start: { start.yield($0) })
                start.finish()
                ready.finish()
            }
            group.addTask {
                guard await readiness.first(where: { true }) != nil else { return }
                if hasTerminal { try? await wait(for: client) }
                start.yield(nil)
            }
            var events = starts.makeAsyncIterator()
            if let size = await events.next() {
                do {
                    try await client.finish(try await carry(client, opened, size))
                    group.addTask {
                        try? await Task.sleep(for: Self.patience)
                        start.finish()
                    }
                    while await events.next() != nil {}
                } catch {
                    logger.debug("a command's client left: \(error)")
                }
            } else {
                // The command never starts: waiters get no session.
                await opened.set(nil)
            }
            group.cancelAll()
        }
    }

    private func wait(for client: some CommandClient) async throws {
        let end = ContinuousClock.now + maxSizeWait
        for turn in 1...Self.sizePatience {
            try await client.ping()
            repeat {
                try await Task.sleep(for: Self.turn)
                guard ContinuousClock.now < end else { return }
            } while await client.pongs < turn
        }
    }

    /// The session with the node agent, once there is one. The client's input waits for it.
    private actor Opened {
        private var session: StreamSession??
        private var waiters: [CheckedContinuation<StreamSession?, Never>] = []
        private var inputs: [CommandInput] = []
        private var isSending = false
        private var senders: [CheckedContinuation<Void, Never>] = []

        /// The max number of waiting inputs; then the client waits.
        private static let maxInputs = 64

        /// Nil where the node agent refused. Returns when the waiting input has been sent, which may need a reader of the
        /// command's output.
        func set(_ session: StreamSession?) async {
            self.session = .some(session)
            for waiter in waiters { waiter.resume(returning: session) }
            waiters = []
            await sendInputs()
        }

        func get() async -> StreamSession? {
            if let session { return session }
            return await withCheckedContinuation { waiters.append($0) }
        }

        func send(_ input: CommandInput) async {
            inputs.append(input)
            if inputs.count > Self.maxInputs { _ = await get() }
            await sendInputs()
            if inputs.count > Self.maxInputs { await withCheckedContinuation { senders.append($0) } }
        }

        private func sendInputs() async {
            guard let session, !isSending else { return }
            isSending = true
            // A command that has ended takes no more input; its result is on the way.
            while !inputs.isEmpty {
                let input = inputs.removeFirst()
                try? await session?.send(input)
                if inputs.count <= Self.maxInputs {
                    for sender in senders { sender.resume() }
                    senders = []
                }
            }
            isSending = false
        }
    }

    private func receive(
        _ client: some CommandClient, _ opened: Opened, ready: () -> Void,
        start: (TerminalSize?) -> Void
    ) async {
        var isReady = false
        do {
            try await client.receive { input in
                if input == .ready {
                    isReady = true
                    return ready()
                }
                guard isReady else { return }
                // Input may come before the terminal's size.
                if case .resize(let size) = input { start(size) } else if !hasTerminal { start(nil) }
                await opened.send(input)
            }
        } catch {
            logger.debug("a command's client failed: \(error)")
        }
        // Without a start there is no session to wait for.
        if isReady { start(nil) }
        if isReady { await opened.get()?.close() }
    }

    /// Opens the session and carries the command's output; returns its result, or the node agent's refusal. Throws
    /// where the client has disconnected.
    private func carry(_ client: some CommandClient, _ opened: Opened, _ size: TerminalSize?) async throws -> JSON {
        let session: StreamSession
        do {
            session = try await StreamSession.open(socket: socket, request.starting(with: size))
        } catch {
            await opened.set(nil)
            return (error as? Status ?? Status.internalError("\(error)")).json
        }
        // Concurrently with reading output: a command that answers its input takes no more while nobody reads.
        async let _ = opened.set(session)
        var result: JSON?
        do {
            while let frame = try await session.next() {
                switch frame.channel {
                case .stdout: try await client.write(.stdout, frame.payload)
                case .stderr: try await client.write(.stderr, frame.payload)
                case .result: result = try frame.json()
                default: break
                }
            }
        } catch {
            logger.debug("the stream of a command broke off: \(error)")
        }
        return result ?? Status.internalError("the node agent ended the session without a result").json
    }
}

extension StreamRequest {
    fileprivate func starting(with size: TerminalSize?) -> StreamRequest {
        guard let size, case .exec(var request) = self else { return self }
        request.terminalSize = size
        return .exec(request)
    }
}

extension StreamSession {
    fileprivate func send(_ input: CommandInput) async throws {
        switch input {
        case .ready: break
        case .stdin(let bytes): try await send(.stdin, bytes)
        case .stdinEnd: try await send(StreamFrame(.end))
        case .resize(let size): try await send(StreamFrame(.resize, size.json))
        }
    }
}
