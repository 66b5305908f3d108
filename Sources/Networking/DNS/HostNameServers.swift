import Addresses
import Glibc
import Linux

/// The host's own name servers, asked over sockets that were made in the host's network namespace.
///
/// An answer counts only where it comes from the server that was asked, to the port from which it was, with the query's
/// random id and its question: whoever wants to forge one must guess 32 bits within the time that the true one takes.
/// Each query has a socket for itself, and each time another port. What fits no datagram is asked for again by TCP.
public struct HostNameServers: DNSUpstream {
    struct Server: Sendable, Hashable {
        let address: IPv4Address
        var port: UInt16 = 53
    }

    private let list: NameServerList
    private let patience: Duration
    private let datagrams: SocketPool
    private let streams: SocketPool

    private static let maxSize = 65_535

    /// - Parameters:
    ///   - descriptors: unbound datagram sockets, owned by this from now on; one query needs one.
    ///   - streams: unconnected stream sockets, for answers that fit no datagram.
    public init(descriptors: [CInt], streams: [CInt] = [], resolvConf: String = "/etc/resolv.conf") {
        list = NameServerList(file: resolvConf)
        patience = .seconds(2)
        datagrams = SocketPool(descriptors.map { SharedDescriptor(owning: $0) })
        self.streams = SocketPool(streams.map { SharedDescriptor(owning: $0) })
    }

    /// - Parameter patience: how long each server has.
    init(
        sockets: [SharedDescriptor], streams: [SharedDescriptor] = [], servers: [Server],
        patience: Duration = .seconds(2)
    ) {
        list = NameServerList(servers)
        datagrams = SocketPool(sockets)
        self.streams = SocketPool(streams)
        self.patience = patience
    }

    public func resolve(_ query: [UInt8]) async throws(DNSUpstreamFailure) -> [UInt8] {
        let servers = list.current()
        guard !servers.isEmpty, let question = DNSMessage.firstQuestion(of: query) else { throw .unanswered }
        let socket = try await datagrams.take()
        defer { datagrams.giveBack(socket) }
        for server in servers {
            guard let answer = await ask(server, query, question, socket) else { continue }
            guard DNSMessage.isTruncated(answer), !streams.isEmpty else { return answer }
            return try await askByStream(server, query, question) ?? answer
        }
        throw .unanswered
    }

    private func ask(
        _ server: Server, _ query: [UInt8], _ question: DNSMessage.RawQuestion, _ socket: SharedDescriptor
    ) async -> [UInt8]? {
        let id = UInt16.random(in: 0...UInt16.max)
        let deadline = ContinuousClock.now + patience
        do {
            try socket.connectDatagrams(to: server.address, port: server.port)
            defer { try? socket.disconnect() }
            try socket.sendDatagram(Self.query(query, id: id))
            while ContinuousClock.now < deadline {
                guard let answer = try socket.receiveDatagram(max: Self.maxSize) else {
                    try await Self.readable(socket, until: deadline)
                    continue
                }
                if DNSMessage.isAnswer(answer, id: id, to: question) {
                    return Array(query.prefix(2)) + answer.dropFirst(2)
                }
            }
            return nil
        } catch {
            // The server is not there, or the time is over.
            return nil
        }
    }

    /// Asks by TCP, where each message has its length before it (RFC 1035, section 4.2.2).
    private func askByStream(
        _ server: Server, _ query: [UInt8], _ question: DNSMessage.RawQuestion
    ) async throws(DNSUpstreamFailure) -> [UInt8]? {
        let socket = try await streams.take()
        defer { streams.giveBack(socket) }
        let id = UInt16.random(in: 0...UInt16.max)
        let deadline = ContinuousClock.now + patience
        do {
            try await socket.connect(to: server.address, port: server.port, within: patience)
            defer { try? socket.disconnect() }
            let message = Self.query(query, id: id)
            try socket.sendDatagram([UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message)
            var received: [UInt8] = []
            while ContinuousClock.now < deadline {
                guard let part = try socket.receiveDatagram(max: Self.maxSize) else {
                    try await Self.readable(socket, until: deadline)
                    continue
                }
                if part.isEmpty { return nil }
                received += part
                guard received.count >= 2 else { continue }
                let end = 2 + (Int(received[0]) << 8 | Int(received[1]))
                guard received.count >= end else { continue }
                let answer = Array(received[2..<end])
                guard DNSMessage.isAnswer(answer, id: id, to: question) else { return nil }
                return Array(query.prefix(2)) + answer.dropFirst(2)
            }
            return nil
        } catch {
            return nil
        }
    }

    private static func query(_ query: [UInt8], id: UInt16) -> [UInt8] {
        [UInt8(id >> 8), UInt8(id & 0xFF)] + query.dropFirst(2)
    }

    private static func readable(_ socket: SharedDescriptor, until deadline: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await Poller.shared.readable(socket) }
            group.addTask { try await Task.sleep(until: deadline, clock: .continuous) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
