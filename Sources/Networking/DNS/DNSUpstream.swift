import Glibc
import Linux
import NIOCore
import NIOPosix

/// Answers queries for names outside the cluster.
public protocol DNSUpstream: Sendable {
    /// The answer to a query as it stands; nil where nobody answered in time.
    func resolve(_ query: [UInt8]) async -> [UInt8]?
}

/// The host's own name servers, asked over a UDP socket that was bound in the host's network namespace.
public actor HostNameServers: DNSUpstream {
    private let servers: [SocketAddress]
    private let channel: any Channel
    private var waiting: [UInt16: (original: UInt16, continuation: CheckedContinuation<[UInt8]?, Never>)] = [:]

    /// How long each server has.
    static let patience = Duration.seconds(2)

    /// - Parameter descriptor: a bound datagram socket, owned by this from now on.
    public init(descriptor: CInt, resolvConf: String = "/etc/resolv.conf") async throws {
        servers = Self.servers(resolvConf).compactMap { try? SocketAddress(ipAddress: $0, port: 53) }
        let (answers, continuation) = AsyncStream<[UInt8]>.makeStream(bufferingPolicy: .bufferingNewest(1000))
        channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                }
            }
            .withBoundSocket(descriptor).get()
        self.answers = answers
    }

    private let answers: AsyncStream<[UInt8]>

    /// Hands answers to those who wait for them, until the task is cancelled.
    public func run() async {
        for await answer in answers where answer.count >= 12 {
            let id = UInt16(answer[0]) << 8 | UInt16(answer[1])
            guard let waiter = waiting.removeValue(forKey: id) else { continue }
            waiter.continuation.resume(
                returning: [UInt8(waiter.original >> 8), UInt8(waiter.original & 0xFF)] + answer.dropFirst(2))
        }
    }

    public func resolve(_ query: [UInt8]) async -> [UInt8]? {
        guard query.count >= 12 else { return nil }
        for server in servers {
            if let answer = await ask(server, query) { return answer }
        }
        return nil
    }

    private func ask(_ server: SocketAddress, _ query: [UInt8]) async -> [UInt8]? {
        // An id of our own, which nobody can guess, and which differs where clients chose the same.
        var id = UInt16.random(in: 0...UInt16.max)
        while waiting[id] != nil { id &+= 1 }
        let original = UInt16(query[0]) << 8 | UInt16(query[1])
        let own = id
        let message = ByteBuffer(bytes: [UInt8(own >> 8), UInt8(own & 0xFF)] + query.dropFirst(2))
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: server, data: message), promise: nil)
        let timeout = Task {
            try await Task.sleep(for: Self.patience)
            self.giveUp(own)
        }
        defer { timeout.cancel() }
        return await withCheckedContinuation { waiting[own] = (original, $0) }
    }

    private func giveUp(_ id: UInt16) { waiting.removeValue(forKey: id)?.continuation.resume(returning: nil) }

    /// The addresses of the `nameserver` lines.
    static func servers(_ path: String) -> [String] {
        let lines = (try? readFile(path))?.split(separator: "\n") ?? []
        return lines.compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count >= 2 && words[0] == "nameserver" ? String(words[1]) : nil
        }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let continuation: AsyncStream<[UInt8]>.Continuation

        init(_ continuation: AsyncStream<[UInt8]>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            continuation.yield(Array(unwrapInboundIn(data).data.readableBytesView))
        }
    }
}
