import KubernetesModel
import Linux
import NodeStreams

extension NodeStreamServer {
    func serve(_ request: LogRequest, _ incoming: StreamServer.Incoming) async throws {
        guard let worker = await workers.worker(uid: request.podUID) else {
            throw Status(code: 404, reason: "NotFound", message: "pod \"\(request.pod)\" does not exist on this node")
        }
        let (id, isRunning) = try await worker.machine.loggedRun(request.container, previous: request.previous)
        let path = worker.paths.log(id)
        let directory = "\(worker.paths.logs)/\(id.name)"
        let session = try await incoming.accept()
        let reader = LogSender(request, path: path, session: session)
        guard request.follow, isRunning else {
            try await reader.begin()
            try await reader.sendRest()
            try await session.send(StreamFrame(.end))
            return
        }
        // Watched before it is read, so that nothing is written in between unseen.
        let watch = try LogWatch(directory: directory)
        let (signals, signal) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(2))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await worker.waitForEnd(of: id)
                signal.yield(.ended)
            }
            group.addTask {
                // The client sends nothing: this ends when it goes.
                while try await session.next() != nil {}
                signal.yield(.ended)
            }
            group.addTask { try await follow(watch, signal) }
            defer { group.cancelAll() }
            try await reader.begin()
            try await reader.sendRest()
            for await event in signals {
                try await reader.sendRest()
                if await reader.isSatisfied || event == .ended { break }
            }
        }
        // The client may have gone: then it needs no end.
        try? await session.send(StreamFrame(.end))
    }

    private func follow(_ watch: LogWatch, _ signal: AsyncStream<Signal>.Continuation) async throws {
        while true {
            try await watch.changed()
            signal.yield(.changed)
        }
    }

    private enum Signal: Sendable {
        case changed
        case ended
    }
}

/// Sends a log's lines as a request wants them.
private actor LogSender {
    private let file: LogFile
    private let executor = BlockingExecutor()
    // Reading a file blocks.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let tail: Int?
    private var filter: LogFilter
    private let session: StreamSession

    init(_ request: LogRequest, path: String, session: StreamSession) {
        file = LogFile(path: path)
        tail = request.tailLines
        let since = request.sinceTime ?? request.sinceSeconds.map { Timestamp.now.advanced(by: -Double($0)) }
        filter = LogFilter(since: since, timestamps: request.timestamps, limitBytes: request.limitBytes)
        self.session = session
    }

    var isSatisfied: Bool { filter.isSatisfied }

    func begin() throws { try file.begin(tail: tail) }

    /// Sends what is written so far and not yet sent.
    func sendRest() async throws {
        while !filter.isSatisfied {
            let lines = file.next()
            if lines.isEmpty { return }
            var output: [UInt8] = []
            for line in lines { filter.append(line, to: &output) }
            if !output.isEmpty { try await session.send(.stdout, output) }
        }
    }
}
