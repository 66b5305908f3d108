import Logging
import NIOCore
import NIOPosix

/// A listening socket and the connections that it accepted.
struct Listening: Sendable {
    let channel: NIOAsyncChannel<ConnectionChannel.Accepted, Never>
    var port: Int? { channel.channel.localAddress?.port }

    init(
        _ listener: Listener, on group: any EventLoopGroup, _ connections: ConnectionChannel
    ) async throws(APIServerError) {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptFailures(connections.logger))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
        do {
            switch listener {
            case .descriptor(let descriptor):
                channel = try await bootstrap.bind(descriptor) { connections.accept($0) }
            case .address(let host, let port):
                channel = try await bootstrap.bind(host: host, port: port) { connections.accept($0) }
            }
        } catch {
            let place =
                switch listener {
                case .descriptor(let descriptor): "file descriptor \(descriptor)"
                case .address(let host, let port): "\(host):\(port)"
                }
            throw .unusableSocket(where: place, problem: "\(error)")
        }
    }

    /// Serves until the task is cancelled; then the socket and every connection are closed.
    func serve(_ connections: ConnectionChannel) async {
        await withDiscardingTaskGroup { group in
            do {
                try await channel.executeThenClose { inbound in
                    for try await accepted in inbound {
                        group.addTask(executorPreference: connections.executors[accepted.channel.eventLoop]) {
                            await withTaskCancellationHandler {
                                await connections.serve(accepted)
                            } onCancel: {
                                accepted.end()
                            }
                        }
                    }
                }
            } catch is CancellationError {
                connections.logger.debug("the API's listening socket is closed")
            } catch {
                // Expected when the server stops.
                guard !Task.isCancelled else { return group.cancelAll() }
                connections.logger.error("the API's listening socket failed", metadata: ["error": "\(error)"])
            }
            group.cancelAll()
        }
    }
}
