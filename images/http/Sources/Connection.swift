import Glibc

/// One client's connection: bytes in, requests out; answers in, bytes out.
final class Connection {
    let descriptor: Int32
    let handler: Server.Handler
    let logsRequests: Bool
    var usedAt: Int

    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var sent = 0
    private var closesAfterOutput = false
    private var isAtEnd = false
    private var hasContinued = false
    private var hasAnswered = false

    private static let maximumHead = 16 << 10
    private static let maximumBody = 64 << 10

    init(_ descriptor: Int32, handler: @escaping Server.Handler, logsRequests: Bool, now: Int) {
        self.descriptor = descriptor
        self.handler = handler
        self.logsRequests = logsRequests
        usedAt = now
    }

    var hasOutput: Bool { sent < output.count }
    var outputCount: Int { output.count - sent }

    /// Whether it may be closed at the server's end: nothing is under way, and a new client has had time to ask.
    func isFinished(now: Int) -> Bool { input.isEmpty && !hasOutput && (hasAnswered || now - usedAt > 500) }

    /// Takes what has arrived. False where the connection is of no use any more.
    func receive() -> Bool {
        let isAlive = withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
            while input.count < Self.maximumHead + Self.maximumBody {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count > 0 { input += buffer[..<count] }
                if count == buffer.count { continue }
                if count == 0 { isAtEnd = true }
                return count >= 0 || errno == EAGAIN || errno == EINTR
            }
            return true
        }
        return isAlive && !(isAtEnd && input.isEmpty)
    }

    /// The next whole request; answers wrong ones itself.
    func nextRequest() -> Request? {
        if closesAfterOutput || input.isEmpty { return nil }
        guard let end = Request.headEnd(in: input) else {
            if input.count > Self.maximumHead { refuse(431) }
            return nil
        }
        guard var request = Request(head: input[..<end]) else {
            refuse(400)
            return nil
        }
        if request.header("transfer-encoding") != nil {
            refuse(411)
            return nil
        }
        var length = 0
        if let text = request.header("content-length") {
            guard let number = Int(text), number >= 0 else {
                refuse(400)
                return nil
            }
            length = number
        }
        if length > Self.maximumBody {
            refuse(413)
            return nil
        }
        guard input.count - end >= length else {
            if !hasContinued, request.header("expect")?.lowercased() == "100-continue" {
                hasContinued = true
                output += "HTTP/1.1 100 Continue\r\n\r\n".utf8
            }
            return nil
        }
        hasContinued = false
        request.body = Array(input[end..<(end + length)])
        // An idle connection holds no buffer.
        input = input.count == end + length ? [] : Array(input[(end + length)...])
        return request
    }

    func answer(_ response: Response, to request: Request, closing: Bool) {
        hasAnswered = true
        let closes = closing || !request.keepsAlive
        response.encode(into: &output, withBody: request.method != "HEAD", closes: closes)
        if closes { closesAfterOutput = true }
    }

    /// Sends what it can. False where the connection is finished.
    func send() -> Bool {
        while hasOutput {
            let count = output.withUnsafeBytes { bytes in
                Glibc.send(
                    descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            sent += count
        }
        output = []
        sent = 0
        guard closesAfterOutput || isAtEnd else { return true }
        // What is still unread would make the kernel cut the answer off by a reset.
        shutdown(descriptor, Int32(SHUT_WR))
        drainInput()
        return false
    }

    private func drainInput() {
        withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 1) { buffer in
            while recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) > 0 {}
        }
    }

    private func refuse(_ status: Int) {
        Response(status: status).encode(into: &output, withBody: true, closes: true)
        input = []
        closesAfterOutput = true
    }
}
