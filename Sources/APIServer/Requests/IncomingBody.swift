import HTTPTypes
import HummingbirdCore
import KubernetesModel
import NIOCore
import Synchronization

/// A request's body while the client still sends it: it is read after authorization, and no more of it than the request
/// may have.
///
/// One reader, once: either `collect` or `stream`.
final class IncomingBody: Sendable {
    /// Kubernetes' own limit for what is decoded.
    static let limit = 3 * 1024 * 1024

    /// What the client says; nil where it does not.
    let length: Int?
    /// Whether there may be something to read.
    let isExpected: Bool

    private let parts: RequestBody
    private let hasEnded = Mutex(false)
    /// Of a body that may be streamed.
    private let bridge: Bridge?

    private struct Bridge: Sendable {
        /// What `stream` has asked `pump` for.
        let demand = AsyncStream<Void>.makeStream()
        let passedOn = RequestBody.makeStream()
    }

    /// - Parameter isStreamed: whether it may be streamed; `pump` runs then for as long as the request lasts.
    init(_ request: Request, isMultiplexed: Bool, isStreamed: Bool) {
        bridge = isStreamed ? Bridge() : nil
        parts = request.body
        length = request.headers[.contentLength].flatMap { Int($0) }
        // HTTP/1.1 says so where there is a body; in HTTP/2 any request may have one.
        isExpected =
            length.map { $0 > 0 }
            ?? (request.headers[.transferEncoding] != nil
                || isMultiplexed && request.method != .get && request.method != .head)
    }

    /// Whether the client has nothing more to send.
    var isRead: Bool { !isExpected || hasEnded.withLock { $0 } }

    /// All of the body.
    ///
    /// - Throws: `RequestEntityTooLarge` for one over `limit`, before more is read.
    func collect() async throws(Status) -> ByteBuffer {
        guard isExpected else { return ByteBuffer() }
        if let length, length > Self.limit { throw Self.tooLarge }
        var body = ByteBuffer()
        do {
            for try await part in bridge == nil ? parts : stream() {
                guard body.readableBytes + part.readableBytes <= Self.limit else { throw Self.tooLarge }
                if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
            }
        } catch let status as Status {
            throw status
        } catch {
            throw .badRequest("the body of the request could not be read: \(error)")
        }
        hasEnded.withLock { $0 = true }
        return body
    }

    /// The body's parts as they come, no faster than they are taken.
    func stream() -> RequestBody {
        guard let bridge else { return parts }
        bridge.demand.continuation.yield()
        return bridge.passedOn.0
    }

    /// Passes the parts on to whoever has asked for them by `stream`, until the body ends or the task is cancelled. The
    /// connection is read here alone: nobody else must be left reading when its next request begins.
    func pump() async {
        guard let bridge else { return }
        for await _ in bridge.demand.stream { break }
        guard !Task.isCancelled else { return }
        let target = bridge.passedOn.1
        do {
            for try await part in parts { await target.yield(part) }
            if !Task.isCancelled { hasEnded.withLock { $0 = true } }
            target.finish()
        } catch {
            target.finish(error)
        }
    }

    private static var tooLarge: Status {
        Status(
            code: 413, reason: "RequestEntityTooLarge", message: "Request entity too large: limit is \(limit)")
    }
}
