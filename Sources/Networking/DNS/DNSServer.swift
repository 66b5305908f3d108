import APIClient
import Logging
import NIOCore
import NIOPosix

/// The cluster's name server, over UDP and TCP.
public struct DNSServer: Sendable {
    private let zone: ClusterZone
    private let upstream: (any DNSUpstream)?
    private let address: String
    private let port: Int
    private let logger: Logger

    /// - Parameter upstream: nil where names outside the cluster cannot be resolved; they are refused then.
    public init(
        client: any Client, address: String = "10.96.0.10", port: Int = 53, domain: String = "cluster.local",
        upstream: (any DNSUpstream)?, logger: Logger
    ) {
        zone = ClusterZone(client: client, domain: domain)
        self.upstream = upstream
        self.address = address
        self.port = port
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
            let streams = try await bindStreams()
            group.addTask { try await serve(datagrams) }
            group.addTask { try await serve(streams) }
            logger.info("names are served at \(address):\(port)")
            whenReady()
        }
    }

    private typealias Datagrams = NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
    private typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private func bindDatagrams() async throws -> Datagrams {
        try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: address, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Datagrams(wrappingChannelSynchronously: channel) }
            }
    }

    private func bindStreams() async throws -> NIOAsyncChannel<Stream, Never> {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: address, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
            }
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
                        group.addTask {
                            let reply = ByteBuffer(bytes: await self.forward(forwarded))
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
                    case .forward(let forwarded): reply = await forward(forwarded)
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

    /// A query that somebody else answers, with the alias that led to it.
    private struct Forwarded {
        let query: DNSMessage
        let bytes: [UInt8]
        let alias: DNSMessage.Record?
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
        case .elsewhere: return .forward(Forwarded(query: query, bytes: bytes, alias: nil))
        case .alias(let record, let target):
            var outer = DNSMessage(id: query.id)
            outer.recursionDesired = true
            outer.question = DNSMessage.Question(name: target, type: question.type)
            // The target may be another Service's name.
            if case .records(let records, _) = zone.answer(DNSMessage.Question(name: target, type: question.type)) {
                message.answers = [record] + records
                return .message(message, limit: limit)
            }
            return .forward(Forwarded(query: query, bytes: outer.encoded(), alias: record))
        }
        return .message(message, limit: limit)
    }

    private func forward(_ forwarded: Forwarded) async -> [UInt8] {
        var message = DNSMessage(answering: forwarded.query)
        guard let upstream else {
            message.code = .refused
            return message.encoded()
        }
        guard let answer = await upstream.resolve(forwarded.bytes) else {
            message.code = .serverFailure
            return message.encoded()
        }
        guard let alias = forwarded.alias else { return answer }
        message.answers = [alias] + DNSMessage.addresses(in: answer)
        return message.encoded()
    }
}
