import APIClient
import Addresses
import Logging
import NIOCore
import NIOPosix

/// The cluster's name server, over UDP and TCP.
public struct DNSServer: Sendable {
    /// Where names are served. Whoever keeps these open makes queries wait while the server is started again.
    public struct Sockets: Sendable {
        /// A bound UDP socket; nil to bind the cluster's address for names.
        public var datagram: CInt?
        /// A listening TCP socket; nil to bind that address.
        public var stream: CInt?

        public init(datagram: CInt? = nil, stream: CInt? = nil) {
            self.datagram = datagram
            self.stream = stream
        }
    }

    private let zone: ClusterZone
    private let upstream: (any DNSUpstream)?
    private let sockets: Sockets
    private let limits = ForwardLimits()
    private let logger: Logger

    private static let address = AddressPlan.dns.description
    private static let port = 53

    /// - Parameters:
    ///   - upstream: nil where names outside the cluster cannot be resolved; they are refused then.
    ///   - reachesHost: whether the host has its names within the cluster.
    public init(
        client: any Client, sockets: Sockets = Sockets(), domain: String = "cluster.local",
        upstream: (any DNSUpstream)?, reachesHost: Bool = false, logger: Logger
    ) {
        zone = ClusterZone(client: client, domain: domain, host: reachesHost ? AddressPlan.host : nil)
        self.upstream = upstream
        self.sockets = sockets
        self.logger = logger
    }

    /// Serves until the task is cancelled; `whenReady` is called when names resolve.
    public func run(whenReady: @Sendable () -> Void = {}) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for informer in [zone.services, zone.slices, zone.namespaces] {
                group.addTask { await informer.run() }
            }
            for informer in [zone.services, zone.slices, zone.namespaces] { await informer.waitForSync() }
            let datagrams = try await bindDatagrams()
            group.addTask { try await serve(datagrams) }
            let streams = try await bindStreams()
            group.addTask { try await serve(streams) }
            logger.info("names are served")
            whenReady()
        }
    }

    private typealias Datagrams = NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
    private typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private func bindDatagrams() async throws -> Datagrams {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let bound = loop.makePromise(of: Datagrams.self)
        // The bootstrap's asynchronous `withBoundSocket` fails for every socket; this one does the same by futures.
        let bootstrap = DatagramBootstrap(group: loop)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    bound.succeed(try Datagrams(wrappingChannelSynchronously: channel))
                }
            }
        let channel =
            sockets.datagram.map { bootstrap.withBoundSocket($0) }
            ?? bootstrap.bind(host: Self.address, port: Self.port)
        channel.whenFailure { bound.fail($0) }
        let datagrams = try await bound.futureResult.get()
        do {
            // The channel is there before it is bound.
            _ = try await channel.get()
        } catch {
            try? await datagrams.executeThenClose { _, _ in }
            throw error
        }
        return datagrams
    }

    private func bindStreams() async throws -> NIOAsyncChannel<Stream, Never> {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        let streams = StreamLimits()
        let wrap: @Sendable (any Channel) -> EventLoopFuture<Stream> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try streams.admit(channel)
                try channel.pipeline.syncOperations.addHandlers([
                    IdleStateHandler(allTimeout: StreamLimits.idle), CloseWhenIdle(),
                ])
                return try Stream(wrappingChannelSynchronously: channel)
            }
        }
        if let socket = sockets.stream { return try await bootstrap.bind(socket, childChannelInitializer: wrap) }
        return try await bootstrap.bind(host: Self.address, port: Self.port, childChannelInitializer: wrap)
    }

    private func serve(_ datagrams: Datagrams) async throws {
        try await datagrams.executeThenClose { inbound, outbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await envelope in inbound {
                    let query = Array(envelope.data.readableBytesView)
                    // Names of the cluster are answered at once; only what goes elsewhere may take its time.
                    switch answer(query) {
                    case .message(let message, let limit):
                        let reply = ByteBuffer(bytes: message.encoded(limit: limit))
                        try await outbound.write(AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: reply))
                    case .forward(let forwarded):
                        let client = envelope.remoteAddress.ipAddress ?? ""
                        group.addTask {
                            let answer = await self.forward(forwarded, for: client)
                            let reply = ByteBuffer(bytes: DNSMessage.truncated(answer, to: forwarded.limit))
                            try await outbound.write(
                                AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: reply))
                        }
                    case .nothing: break
                    }
                }
            }
        }
    }

    private func serve(_ streams: NIOAsyncChannel<Stream, Never>) async throws {
        try await streams.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask {
                        // A client that breaks off ends its own connection only.
                        try? await serve(connection)
                    }
                }
            }
        }
    }

    private func serve(_ connection: Stream) async throws {
        let client = connection.channel.remoteAddress?.ipAddress ?? ""
        try await connection.executeThenClose { inbound, outbound in
            var pending = ByteBuffer()
            for try await part in inbound {
                pending.writeImmutableBuffer(part)
                while let length = pending.getInteger(at: pending.readerIndex, as: UInt16.self),
                    pending.readableBytes >= Int(length) + 2
                {
                    pending.moveReaderIndex(forwardBy: 2)
                    let query = pending.readBytes(length: Int(length)) ?? []
                    let reply: [UInt8]
                    switch answer(query) {
                    case .message(let message, _): reply = message.encoded()
                    case .forward(let forwarded): reply = await forward(forwarded, for: client)
                    case .nothing: return
                    }
                    var framed = ByteBuffer(integer: UInt16(reply.count))
                    framed.writeBytes(reply)
                    try await outbound.write(framed)
                }
            }
        }
    }

    private enum Reply {
        case message(DNSMessage, limit: Int)
        case forward(Forwarded)
        case nothing
    }

    /// A query that somebody else answers, with the aliases that led to it.
    private struct Forwarded {
        /// The answer without what is to be found out.
        let reply: DNSMessage
        let bytes: [UInt8]
        let aliases: [DNSMessage.Record]
        /// The max size of a datagram that the client takes.
        let limit: Int
    }

    private func answer(_ bytes: [UInt8]) -> Reply {
        let query: DNSMessage
        do {
            query = try DNSMessage(decoding: bytes)
        } catch {
            guard let id = error.id else { return .nothing }
            var fault = DNSMessage(answering: DNSMessage(id: id), code: .formatError)
            fault.question = nil
            return .message(fault, limit: 512)
        }
        let limit = min(query.ednsSize ?? 512, 4096)
        guard !query.isResponse else { return .nothing }
        guard query.opcode == 0 else {
            return .message(DNSMessage(answering: query, code: .notImplemented), limit: limit)
        }
        guard let question = query.question else {
            return .message(DNSMessage(answering: query, code: .formatError), limit: limit)
        }
        var message = DNSMessage(answering: query)
        message.isAuthoritative = true
        switch zone.answer(question) {
        case .records(let records, let additional):
            message.answers = records
            message.additional = additional
        case .noData: message.authority = [zone.authority]
        case .noSuchName:
            message.code = .nameError
            message.authority = [zone.authority]
        case .elsewhere:
            return .forward(Forwarded(reply: DNSMessage(answering: query), bytes: bytes, aliases: [], limit: limit))
        case .alias(let record, let target):
            return follow([record], to: target, message, limit: limit)
        }
        return .message(message, limit: limit)
    }

    /// Answers with aliases and what the last one's target resolves to, which may be another Service's name.
    private func follow(
        _ aliases: [DNSMessage.Record], to target: [String], _ message: DNSMessage, limit: Int
    ) -> Reply {
        var message = message
        message.answers = aliases
        let type = message.question?.type ?? DNSMessage.RecordType.a
        switch zone.answer(DNSMessage.Question(name: target, type: type)) {
        case .records(let records, _): message.answers += records
        case .noData: message.authority = [zone.authority]
        case .noSuchName:
            message.code = .nameError
            message.authority = [zone.authority]
        case .alias(let record, let next):
            // As many as resolvers follow; more are a loop.
            guard aliases.count < 8 else { break }
            return follow(aliases + [record], to: next, message, limit: limit)
        case .elsewhere:
            var outer = DNSMessage(id: message.id)
            outer.recursionDesired = true
            outer.question = DNSMessage.Question(name: target, type: type)
            return .forward(Forwarded(reply: message, bytes: outer.encoded(), aliases: aliases, limit: limit))
        }
        return .message(message, limit: limit)
    }

    private func forward(_ forwarded: Forwarded, for client: String) async -> [UInt8] {
        var message = forwarded.reply
        message.isAuthoritative = false
        guard let upstream else {
            message.code = .refused
            return message.encoded()
        }
        let answer: [UInt8]
        do {
            answer = try await limits.run(for: client) { () throws(DNSUpstreamFailure) in
                try await upstream.resolve(forwarded.bytes)
            }
        } catch {
            message.code = error == .overloaded ? .refused : .serverFailure
            return message.encoded()
        }
        guard !forwarded.aliases.isEmpty else { return answer }
        message.answers = forwarded.aliases + DNSMessage.addresses(in: answer)
        return message.encoded()
    }
}
