import Addresses
import Glibc
import Linux

/// The host's own name servers, asked over UDP sockets that were made in the host's network namespace.
///
/// An answer counts only where it comes from the server that was asked, to the port from which it was, with the query's
/// random id and its question: whoever wants to forge one must guess 32 bits within the time that the true one takes.
/// Each query has a socket for itself, and each time another port.
public actor HostNameServers: DNSUpstream {
    struct Server: Sendable, Hashable {
        let address: IPv4Address
        var port: UInt16 = 53
    }

    private let servers: [Server]
    private let patience: Duration
    private var free: [SharedDescriptor]
    private var waiting: [CheckedContinuation<SharedDescriptor, Never>] = []

    /// How many queries wait for a socket; more would be answered when nobody waits any more.
    static let maxWaiting = 128
    private static let maxSize = 65_535

    /// - Parameter descriptors: unbound datagram sockets, owned by this from now on; one query needs one.
    public init(descriptors: [CInt], resolvConf: String = "/etc/resolv.conf") {
        self.init(
            sockets: descriptors.map { SharedDescriptor(owning: $0) },
            servers: Self.servers(resolvConf).compactMap { IPv4Address($0) }.map { Server(address: $0) })
    }

    /// - Parameter patience: how long each server has.
    init(sockets: [SharedDescriptor], servers: [Server], patience: Duration = .seconds(2)) {
        free = sockets
        self.servers = servers
        self.patience = patience
    }

    public func resolve(_ query: [UInt8]) async throws(DNSUpstreamFailure) -> [UInt8] {
        guard !servers.isEmpty, let question = DNSMessage.firstQuestion(of: query) else { throw .unanswered }
        let socket = try await take()
        defer { giveBack(socket) }
        for server in servers {
            if let answer = await ask(server, query, question, socket) { return answer }
        }
        throw .unanswered
    }

    private func take() async throws(DNSUpstreamFailure) -> SharedDescriptor {
        if let socket = free.popLast() { return socket }
        guard waiting.count < Self.maxWaiting else { throw .overloaded }
        return await withCheckedContinuation { waiting.append($0) }
    }

    private func giveBack(_ socket: SharedDescriptor) {
        if waiting.isEmpty { free.append(socket) } else { waiting.removeFirst().resume(returning: socket) }
    }

    private func ask(
        _ server: Server, _ query: [UInt8], _ question: DNSMessage.RawQuestion, _ socket: SharedDescriptor
    ) async -> [UInt8]? {
        let id = UInt16.random(in: 0...UInt16.max)
        let deadline = ContinuousClock.now + patience
        do {
            try socket.connectDatagrams(to: server.address, port: server.port)
            defer { try? socket.disconnectDatagrams() }
            try socket.sendDatagram([UInt8(id >> 8), UInt8(id & 0xFF)] + query.dropFirst(2))
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

    private static func readable(_ socket: SharedDescriptor, until deadline: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await Poller.shared.readable(socket) }
            group.addTask { try await Task.sleep(until: deadline, clock: .continuous) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// The addresses of the `nameserver` lines.
    static func servers(_ path: String) -> [String] {
        let lines = (try? readFile(path))?.split(separator: "\n") ?? []
        return lines.compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count >= 2 && words[0] == "nameserver" ? String(words[1]) : nil
        }
    }
}
