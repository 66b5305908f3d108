import KubernetesModel
import Logging
import NodeStreams

/// An `exec` or `attach`: carries bytes between a client and the node agent until the command ends or either leaves.
struct CommandSession: Sendable {
    /// The node agent's socket.
    let socket: String
    let request: StreamRequest
    let logger: Logger

    /// How long a client has to read the end and hang up. Closing before that could cut off what it has not read.
    private static let patience = Duration.seconds(2)

    func run(_ client: some CommandClient) async {
        let (sessions, continuation) = AsyncStream.makeStream(of: Result<StreamSession, any Error>.self)
        await withDiscardingTaskGroup { group in
            group.addTask {
                await receive(client, continuation)
                continuation.finish()
            }
            var opened = sessions.makeAsyncIterator()
            if let session = await opened.next() {
                do {
                    try await client.finish(try await output(session.get(), to: client))
                    // The client's end ends the receiving task, and so the iteration.
                    group.addTask {
                        try? await Task.sleep(for: Self.patience)
                        continuation.finish()
                    }
                    _ = await opened.next()
                } catch {
                    logger.debug("a command's client left: \(error)")
                }
            }
            group.cancelAll()
        }
    }

    private func receive(
        _ client: some CommandClient, _ continuation: AsyncStream<Result<StreamSession, any Error>>.Continuation
    ) async {
        var session: StreamSession?
        do {
            try await client.receive { input in
                switch input {
                case .ready:
                    do {
                        let opened = try await StreamSession.open(socket: socket, request)
                        session = opened
                        continuation.yield(.success(opened))
                    } catch {
                        continuation.yield(.failure(error))
                    }
                // A command that has ended already does not take input any more; its result is on the way.
                case .stdin(let bytes): try? await session?.send(.stdin, bytes)
                case .stdinEnd: try? await session?.send(StreamFrame(.end))
                case .resize(let width, let height):
                    try? await session?.send(
                        StreamFrame(.resize, ["width": JSON(width), "height": JSON(height)]))
                }
            }
        } catch {
            logger.debug("a command's client failed: \(error)")
        }
        await session?.close()
    }

    /// Carries a command's output; returns how it ended. A refusal by the node agent is an end, too.
    private func output(_ session: @autoclosure () throws -> StreamSession, to client: some CommandClient) async throws
        -> JSON
    {
        let opened: StreamSession
        do {
            opened = try session()
        } catch {
            return (error as? Status ?? Status.internalError("\(error)")).json
        }
        var result: JSON?
        while let frame = try await opened.next() {
            switch frame.channel {
            case .stdout: try await client.write(.stdout, frame.payload)
            case .stderr: try await client.write(.stderr, frame.payload)
            case .result: result = try frame.json()
            default: break
            }
        }
        return result ?? Status.internalError("the node agent ended the session without a result").json
    }
}
