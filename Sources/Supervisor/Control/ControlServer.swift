import Dispatch
import Glibc
import KubernetesModel
import Linux

/// Answers requests on the supervisor's socket: a line of JSON each, answered by a line of JSON, perhaps with a
/// descriptor.
final class ControlServer: Sendable {
    struct Answer: Sendable {
        var json: JSON
        /// Sent along and kept open here.
        var descriptor: Int32?

        init(_ json: JSON, descriptor: Int32? = nil) {
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
        chmod(path, 0o600)
        Self.thread {
            while let connection = listener.accept() {
                Self.thread { Self.serve(connection, handler) }
            }
        }
    }

    func close() {
        unlink(path)
        listener.shutdown()
    }

    /// Reading blocks, so each connection has a thread; there is one for each command and for the service proxy.
    private static func thread(_ body: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "control")
        queue.async(execute: body)
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
                let done = DispatchSemaphore(value: 0)
                Task {
                    let answer: Answer
                    if let request = try? JSON(decoding: line) {
                        answer = await handler(request)
                    } else {
                        answer = Answer(["error": "the request is no JSON"])
                    }
                    let descriptors = answer.descriptor.map { [$0] } ?? []
                    // A client that went away needs no answer.
                    try? connection.send(answer.json.encoded() + [UInt8(ascii: "\n")], descriptors: descriptors)
                    done.signal()
                }
                done.wait()
            }
        }
    }
}
