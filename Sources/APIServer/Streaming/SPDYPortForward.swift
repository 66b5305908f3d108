import KubernetesModel
import Logging
import NIOCore
import NodeStreams

/// A port-forward over SPDY, as `portforward.k8s.io` defines it: for each forwarded connection a pair of streams with
/// one `requestid`, of the types `error` and `data`.
struct SPDYPortForward: Sendable {
    static let protocolName = "portforward.k8s.io"

    let socket: String
    let podUID: String
    let logger: Logger

    /// Of streams and connections at once.
    private static let maxConnections = 1000

    private struct Pair {
        var error: Int?
        var data: Int?
        var port: Int?
    }

    func run<Bytes: AsyncSequence & Sendable>(_ bytes: Bytes, write: @escaping SPDYConnection.Write) async
    where Bytes.Element == ByteBuffer {
        let connection = SPDYConnection(write: write)
        await withDiscardingTaskGroup { group in
            do {
                var pairs: [String: Pair] = [:]
                var sessions: [Int: StreamSession] = [:]
                for try await bytes in bytes {
                    for event in try await connection.receive(bytes) {
                        switch event {
                        case .opened(let id, let headers, _):
                            guard pairs.count + sessions.count < Self.maxConnections else {
                                try await connection.reset(id)
                                continue
                            }
                            try await connection.reply(id)
                            let request = headers["requestid"] ?? headers["port"] ?? ""
                            var pair = pairs[request] ?? Pair()
                            pair.port = headers["port"].flatMap { Int($0) }
                            if headers["streamtype"] == "error" { pair.error = id } else { pair.data = id }
                            pairs[request] = pair
                            guard let error = pair.error, let data = pair.data else { continue }
                            pairs[request] = nil
                            guard let session = try await open(pair.port, on: connection, error: error, data: data)
                            else { continue }
                            sessions[data] = session
                            group.addTask { await carry(session, to: connection, error: error, data: data) }
                        case .data(let id, let bytes, let fin):
                            guard let session = sessions[id] else { continue }
                            // The other direction reports that the pod's side is closed.
                            if !bytes.isEmpty { try? await session.send(.stdout, bytes) }
                            if fin {
                                try? await session.send(StreamFrame(.end))
                                sessions[id] = nil
                            }
                        case .reset(let id): await sessions.removeValue(forKey: id)?.close()
                        }
                    }
                }
            } catch {
                logger.debug("a port-forward ended: \(error)")
            }
            // Ends the tasks, which close their sessions.
            group.cancelAll()
        }
    }

    private func open(_ port: Int?, on connection: SPDYConnection, error: Int, data: Int) async throws
        -> StreamSession?
    {
        do {
            let request = try StreamRequest(["portForward": ["podUID": .string(podUID), "port": JSON(port ?? 0)]])
            return try await StreamSession.open(socket: socket, request)
        } catch let failure {
            try await connection.send(Array("\(failure)".utf8), on: error)
            try await connection.finish(error)
            try await connection.finish(data)
            return nil
        }
    }

    /// Carries the pod's bytes until the connection ends.
    private func carry(_ session: StreamSession, to connection: SPDYConnection, error: Int, data: Int) async {
        do {
            while let frame = try await session.next(), frame.channel != .end {
                switch frame.channel {
                case .stdout: try await connection.send(frame.payload, on: data)
                case .result:
                    let status = try frame.json()
                    if status["status"].string != "Success" {
                        try await connection.send(Array((status["message"].string ?? "").utf8), on: error)
                    }
                default: break
                }
            }
            try await connection.finish(error)
            try await connection.finish(data)
        } catch {
            logger.debug("a forwarded connection ended: \(error)")
        }
    }
}
