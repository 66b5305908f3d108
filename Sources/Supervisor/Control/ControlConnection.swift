import ClusterLayout
import Glibc
import KubernetesModel
import Linux

/// A connection to a cluster's supervisor. One request is answered before the next is sent.
public actor ControlConnection {
    private nonisolated let socket: UnixSocket
    private let executor = BlockingExecutor()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

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

    /// Sends a request and waits for its answer, or until the task is cancelled; the connection is closed then.
    ///
    /// - Throws: `SupervisorError.failed` with the supervisor's own words.
    public nonisolated func request(
        _ request: JSON
    ) async throws -> (answer: JSON, descriptor: SharedDescriptor?) {
        let result: (answer: JSON, descriptor: SharedDescriptor?)
        do {
            result = try await withTaskCancellationHandler {
                try await exchange(request)
            } onCancel: {
                socket.close()
            }
        } catch {
            try Task.checkCancellation()
            throw error
        }
        if let error = result.answer["error"].string { throw SupervisorError.failed(error) }
        return result
    }

    /// Waits until the supervisor closes the connection, which it does when it ends, or until the task is cancelled.
    public nonisolated func waitForEnd() async {
        await withTaskCancellationHandler {
            await receiveToEnd()
        } onCancel: {
            socket.close()
        }
    }

    private func receiveToEnd() {
        while let received = try? socket.receive(), !received.bytes.isEmpty {}
    }

    private func exchange(_ request: JSON) throws -> (answer: JSON, descriptor: SharedDescriptor?) {
        try socket.send(request.encoded() + [UInt8(ascii: "\n")])
        var line: [UInt8] = []
        var descriptor: SharedDescriptor?
        while line.last != UInt8(ascii: "\n") {
            let received = try socket.receive()
            guard !received.bytes.isEmpty else {
                throw SupervisorError.failed("the supervisor ended before it answered")
            }
            line += received.bytes
            if descriptor == nil { descriptor = received.descriptors.first }
        }
        return (try JSON(decoding: line), descriptor)
    }
}
