import KubernetesModel
import Logging
import NodeStreams

/// A port-forward over plain WebSocket channels: two for each of the request's ports, data and error in turn. Each
/// begins with a message that has the port's number, two bytes with the least significant first.
struct WebSocketPortForward: Sendable {
    let socket: String
    let podUID: String
    let ports: [Int]
    let logger: Logger

    func run(_ client: WebSocketConnection) async {
        await withDiscardingTaskGroup { group in
            do {
                var sessions: [StreamSession?] = []
                for (index, port) in ports.enumerated() {
                    let (data, error) = (UInt8(2 * index), UInt8(2 * index + 1))
                    let number = [UInt8(truncatingIfNeeded: port), UInt8(truncatingIfNeeded: port >> 8)]
                    try await client.send([data] + number)
                    try await client.send([error] + number)
                    do {
                        let request = StreamRequest.portForward(podUID: podUID, port: port)
                        let session = try await StreamSession.open(socket: socket, request)
                        sessions.append(session)
                        group.addTask { await carry(session, to: client, data: data) }
                    } catch let failure {
                        sessions.append(nil)
                        try await client.send([error] + "\(failure)".utf8)
                    }
                }
                try await client.receive { message in
                    guard let channel = message.first.map({ Int($0) }), channel % 2 == 0,
                        sessions.indices.contains(channel / 2)
                    else { return }
                    try? await sessions[channel / 2]?.send(.stdout, message.dropFirst())
                }
            } catch {
                logger.debug("a port-forward ended: \(error)")
            }
            group.cancelAll()
        }
    }

    private func carry(_ session: StreamSession, to client: WebSocketConnection, data: UInt8) async {
        do {
            while let frame = try await session.next(), frame.channel != .end {
                if frame.channel == .stdout { try await client.send([data] + frame.payload) }
            }
            try await client.close(.normalClosure)
        } catch {
            logger.debug("a forwarded connection ended: \(error)")
        }
    }
}
