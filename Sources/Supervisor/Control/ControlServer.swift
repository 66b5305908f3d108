import Dispatch
import Glibc
import KubernetesModel
import Linux
import Synchronization

/// Answers requests on the supervisor's socket: a line of JSON each, answered by a line of JSON, perhaps with a
/// descriptor.
final class ControlServer: Sendable {
    struct Answer: Sendable {
        var json: JSON
        /// Sent along; open here until then, whoever else closes it.
        var descriptor: SharedDescriptor?

        init(_ json: JSON, descriptor: SharedDescriptor? = nil) {
            self.json = json
            self.descriptor = descriptor
        }
    }

    private let listener: UnixSocket
    private let path: String

    /// Listens at `path` and answers each request by `handler`, until `close`.
    init(path: String, handler: @escaping @Sendable (JSON) async -> Answer) throws(SystemError) {
        self.path = path
        let listener = try UnixSocket.listen(path)
        self.listener = listener
        // Reading blocks, so each connection has a thread; there is one for each command and for the service proxy.
        Blocking.startThread(name: "control") {
            while let connection = listener.accept() {
                Blocking.startThread(name: "control") { Self.serve(connection, handler) }
            }
        }
    }

    func close() {
        unlink(path)
        listener.close()
    }

    private static func serve(
        _ connection: UnixSocket, _ handler: @escaping @Sendable (JSON) async -> Answer
    ) {
        defer { connection.close() }
        var pending: [UInt8] = []
        while let received = try? connection.receive(), !received.bytes.isEmpty {
            pending += received.bytes
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(pending[..<end])
                pending.removeSubrange(...end)
                let answer = answer(line, handler)
                let descriptors = answer.descriptor.map { [$0] } ?? []
                // A client that went away needs no answer.
                try? connection.send(answer.json.encoded() + [UInt8(ascii: "\n")], descriptors: descriptors)
            }
        }
    }

    /// Waits for the answer on this thread, which is no one else's.
    private static func answer(_ line: [UInt8], _ handler: @escaping @Sendable (JSON) async -> Answer) -> Answer {
        guard let request = try? JSON(decoding: line) else { return Answer(["error": "the request is no JSON"]) }
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<Answer?>(nil)
        Task {
            let given = await handler(request)
            answer.withLock { $0 = given }
            done.signal()
        }
        done.wait()
        return answer.withLock { $0 } ?? Answer([:])
    }
}
