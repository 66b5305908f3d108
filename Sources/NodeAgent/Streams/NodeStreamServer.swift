import KubernetesModel
import Linux
import NodeStreams
import PodRuntime

/// Serves the node's streams: logs, exec, attach, port-forward and statistics.
struct NodeStreamServer: Sendable {
    let node: NodeContext
    let workers: PodWorkers

    func serve(_ request: StreamRequest, _ incoming: StreamServer.Incoming) async throws {
        switch request {
        case .logs(let logs): try await serve(logs, incoming)
        case .exec(let exec):
            let machine = try await worker(exec.podUID, exec.namespace, exec.pod).machine
            let id = try machine.runningContainer(exec.container)
            try await execute(exec, id, incoming)
        case .attach(let attach):
            let worker = try await worker(attach.podUID, attach.namespace, attach.pod)
            let id = try await worker.machine.runningContainer(attach.container)
            let program = try await node.runtime.attach(id)
            // How the container itself ends is in its pod's status.
            try await carry(program, try await incoming.accept()) { _ in Self.result(0) }
        case .portForward(let uid, let port): try await forward(uid, port, incoming)
        case .statistics: try await serve(await Statistics(node: node, workers: workers).summary(), incoming)
        case .containers:
            let list = try await ContainerList(runtime: node.runtime).containers()
            try await serve(.array(list.map(\.json)), incoming)
        }
    }

    private func serve(_ document: JSON, _ incoming: StreamServer.Incoming) async throws {
        let session = try await incoming.accept()
        try await session.send(.stdout, document.encoded())
        try await session.send(StreamFrame(.end))
    }

    private func worker(_ uid: String, _ namespace: String, _ pod: String) async throws -> PodWorker {
        guard let worker = await workers.worker(uid: uid) else {
            throw Status(code: 404, reason: "NotFound", message: "pod \"\(pod)\" does not exist on this node")
        }
        return worker
    }

    // MARK: - Programs

    private func execute(_ request: ExecRequest, _ id: ContainerID, _ incoming: StreamServer.Incoming) async throws {
        let program: any ExecSession
        do {
            program = try await node.runtime.execute(
                ExecConfiguration(
                    container: id, arguments: request.command, stdin: request.stdin, stdout: request.stdout,
                    stderr: request.stderr && !request.tty, terminal: request.tty,
                    terminalSize: request.terminalSize.map { WindowSize(columns: $0.columns, rows: $0.rows) }))
        } catch RuntimeError.notFound {
            throw Status(code: 404, reason: "NotFound", message: "container not found (\"\(request.container)\")")
        } catch {
            // kubectl shows by the session's result why a program could not be executed.
            let session = try await incoming.accept()
            let status = Status.internalError("error executing command in container: \(error)")
            try await session.send(StreamFrame(.result, status.json))
            return
        }
        try await carry(program, try await incoming.accept(), result: Self.result)
    }

    /// Carries a program's streams until it ends or the client goes, then sends the result that follows from its code.
    private func carry(
        _ program: any ExecSession, _ session: StreamSession, result: (Int32) -> JSON
    ) async throws {
        let descriptors = [program.stdin, program.stdout, program.stderr].compactMap(\.self)
        for descriptor in descriptors { DescriptorStream.prepare(descriptor) }
        defer { for descriptor in descriptors { descriptor.close() } }
        let code = try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                try await pump(program.stdout, to: session, .stdout)
                return .output
            }
            group.addTask {
                try await pump(program.stderr, to: session, .stderr)
                return .output
            }
            group.addTask {
                try await feed(program, from: session)
                return .clientGone
            }
            group.addTask { .ended(try await program.wait()) }
            defer { group.cancelAll() }
            var outputs = 2
            var code: Int32?
            while let part = try await group.next() {
                switch part {
                case .output: outputs -= 1
                case .ended(let value):
                    code = value
                    // What a program left running holds the output open: it is not waited for.
                    group.addTask {
                        try await Task.sleep(for: .seconds(1))
                        return .drained
                    }
                case .clientGone: return Int32?.none
                case .drained: return code
                }
                if outputs == 0, code != nil { return code }
            }
            return code
        }
        guard let code else { return }
        try await session.send(StreamFrame(.result, result(code)))
    }

    private enum Part: Sendable {
        case output
        case ended(Int32)
        case drained
        case clientGone
    }

    /// A program's result, as exec's error channel has it.
    static func result(_ code: Int32) -> JSON {
        if code == 0 { return ["metadata": [:], "status": "Success"] }
        return [
            "metadata": [:], "status": "Failure", "reason": "NonZeroExitCode",
            "message": .string("command terminated with non-zero exit code: exit status \(code)"),
            "details": ["causes": [["reason": "ExitCode", "message": .string(String(code))]]],
        ]
    }

    private func pump(
        _ descriptor: SharedDescriptor?, to session: StreamSession, _ channel: StreamChannel
    ) async throws {
        guard let descriptor else { return }
        while let bytes = try await DescriptorStream.read(descriptor) { try await session.send(channel, bytes) }
    }

    /// Carries what the client sends to the program; returns when the client has gone.
    private func feed(_ program: any ExecSession, from session: StreamSession) async throws {
        while let frame = try await session.next() {
            switch frame.channel {
            case .stdin:
                if let input = program.stdin, !input.isClosed {
                    if try await !DescriptorStream.write(input, frame.payload) { input.close() }
                }
            case .end: program.stdin?.close()
            case .resize:
                let size = try frame.json()
                try await program.resize(
                    columns: UInt16(clamping: size["width"].int ?? 80), rows: UInt16(clamping: size["height"].int ?? 24)
                )
            default: break
            }
        }
    }

    // MARK: - Port forwarding

    private func forward(_ uid: String, _ port: Int, _ incoming: StreamServer.Incoming) async throws {
        let descriptor: SharedDescriptor
        do {
            descriptor = try await node.runtime.connect(podUID: uid, port: port)
        } catch {
            throw Status.internalError("error forwarding port \(port) to pod \(uid): \(error)")
        }
        DescriptorStream.prepare(descriptor)
        defer { descriptor.hangUp() }
        let session = try await incoming.accept()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while let bytes = try await DescriptorStream.read(descriptor) { try await session.send(.stdout, bytes) }
                try await session.send(StreamFrame(.end))
            }
            group.addTask {
                while let frame = try await session.next() {
                    if frame.channel == .end {
                        shutdownWriting(descriptor)
                        return
                    }
                    let goesOn = try await DescriptorStream.write(descriptor, frame.payload)
                    guard goesOn else { return }
                }
                // The client has gone altogether.
                throw CancellationError()
            }
            defer { group.cancelAll() }
            try await group.waitForAll()
        }
    }
}
