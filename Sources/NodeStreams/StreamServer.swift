import Glibc
import KubernetesModel
import Logging
import NIOCore
import NIOPosix

/// The node agent's side: accepts sessions at a Unix socket.
public struct StreamServer: Sendable {
    /// Serves one session. It answers the request with `accept` before it sends anything else; the `Status` that it
    /// throws before that is the answer. When it returns, the connection is closed.
    public typealias Handler = @Sendable (StreamRequest, Incoming) async throws -> Void

    /// A session whose request is not answered yet.
    public struct Incoming: Sendable {
        fileprivate let session: StreamSession

        /// Grants the request.
        public func accept() async throws -> StreamSession {
            try await session.send(StreamFrame(.response, [:]))
            return session
        }
    }

    private let socket: String
    private let logger: Logger
    private let listening: NIOAsyncChannel<StreamSession, Never>

    /// Binds the socket, in place of one that an earlier process left.
    public static func bind(socket: String, logger: Logger = Logger(label: "streams")) async throws -> StreamServer {
        unlink(socket)
        let listening = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.autoRead, value: false)
            .bind(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture { try StreamSession.make(on: channel) }
            }
        // Until here the umask kept others out.
        chmod(socket, 0o600)
        return StreamServer(socket: socket, logger: logger, listening: listening)
    }

    /// Serves until the task is cancelled; then the sessions are cancelled too and the socket is removed.
    public func run(_ handler: @escaping Handler) async throws {
        defer { unlink(socket) }
        try await withThrowingDiscardingTaskGroup { group in
            try await listening.executeThenClose { sessions in
                for try await session in sessions { group.addTask { await serve(session, handler) } }
            }
            group.cancelAll()
        }
    }

    private func serve(_ session: StreamSession, _ handler: Handler) async {
        do {
            guard let first = try await session.next() else { return }
            do {
                guard first.channel == .request else { throw Status.badRequest("a session begins with its request") }
                try await handler(StreamRequest(first.json()), Incoming(session: session))
            } catch let status as Status {
                try await session.send(StreamFrame(.response, status.json))
            }
        } catch {
            logger.debug("a stream ended: \(error)")
        }
        await session.finish()
    }
}
