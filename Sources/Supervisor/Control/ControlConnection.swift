import ClusterLayout
import Dispatch
import Glibc
import KubernetesModel
import Linux

/// A connection to a cluster's supervisor.
public actor ControlConnection {
    private let socket: UnixSocket
    private let queue = DispatchQueue(label: "control connection")

    /// - Throws: `SupervisorError.notRunning` where no supervisor listens.
    public init(_ paths: ClusterPaths) throws(SupervisorError) {
        do {
            socket = try UnixSocket.connect(paths.supervisorSocket)
        } catch let error where error.errno == EACCES || error.errno == EPERM {
            throw .file(
                path: paths.supervisorSocket, problem: "the cluster belongs to another user",
                remedy: "run the command as that user")
        } catch {
            throw .notRunning(profile: paths.profile)
        }
    }

    deinit { socket.close() }

    /// Sends a request and waits for its answer.
    ///
    /// - Throws: `SupervisorError.failed` with the supervisor's own words.
    public func request(_ request: JSON) async throws -> (answer: JSON, descriptor: Int32?) {
        let socket = socket
        let result: (JSON, Int32?) = try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try Self.exchange(socket, request) }) }
        }
        if let error = result.0["error"].string { throw SupervisorError.failed(error) }
        return result
    }

    /// Waits until the supervisor closes the connection, which it does when it ends.
    public func waitForEnd() async {
        let socket = socket
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.async {
                while let received = try? socket.receive(), !received.bytes.isEmpty {}
                continuation.resume()
            }
        }
    }

    private static func exchange(_ socket: UnixSocket, _ request: JSON) throws -> (JSON, Int32?) {
        try socket.send(request.encoded() + [UInt8(ascii: "\n")])
        var line: [UInt8] = []
        var descriptor: Int32?
        while line.last != UInt8(ascii: "\n") {
            let received = try socket.receive()
            guard !received.bytes.isEmpty else {
                throw SupervisorError.failed("the supervisor ended before it answered")
            }
            line += received.bytes
            for taken in received.descriptors {
                if descriptor == nil { descriptor = taken } else { Glibc.close(taken) }
            }
        }
        return (try JSON(decoding: line), descriptor)
    }
}
