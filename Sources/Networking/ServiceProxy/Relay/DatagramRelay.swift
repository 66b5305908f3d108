import Addresses
import CLinux
import Glibc
import Linux

/// The clients of one address for datagrams. Used by one thread.
final class DatagramRelay {
    struct Client: Hashable {
        let address: UInt32
        let port: UInt16
    }

    let listener: RelayListener
    private(set) var sessions: [Client: DatagramSession] = [:]

    /// Each has a socket; a client is whatever address somebody writes as a datagram's sender.
    private static let maxSessions = 4096

    init(_ listener: RelayListener) { self.listener = listener }

    /// Carries what clients have sent, in batches of what follows each other from one client.
    ///
    /// - Parameter watch: has the kernel report a new session's socket; false where that fails.
    func receive(_ buffers: RelayBuffers, watch: (DatagramSession) -> Bool) {
        let datagrams = buffers.datagrams
        let count = listener.withRawValue { datagrams.receive(from: $0) } ?? 0
        var first = 0
        while first < count {
            let client = datagrams.client(first)
            var next = first + 1
            while next < count, datagrams.client(next) == client { next += 1 }
            if let session = session(client, watch: watch) {
                session.lastUsed = .now
                datagrams.send(first..<next, to: session.number, for: nil)
            }
            first = next
        }
    }

    /// Carries what an endpoint has sent to its client.
    ///
    /// - Returns: false where the endpoint refuses what was sent to it.
    func answer(_ session: DatagramSession, _ buffers: RelayBuffers) -> Bool {
        let datagrams = buffers.datagrams
        let count = datagrams.receive(from: session.number)
        guard count > 0 else { return count == 0 || errno == EAGAIN || errno == EINTR }
        session.lastUsed = .now
        _ = listener.withRawValue { datagrams.send(0..<count, to: $0, for: session.client) }
        return true
    }

    /// Those whose endpoint is one no more: their clients get another with the next datagram, for there is no connection
    /// to end.
    func takeStale() -> [DatagramSession] {
        let stale = sessions.values.filter { !listener.has($0.backend) }
        for session in stale { sessions[session.client] = nil }
        return stale
    }

    func forget(_ session: DatagramSession) {
        if sessions[session.client] === session { sessions[session.client] = nil }
    }

    private func session(_ client: Client, watch: (DatagramSession) -> Bool) -> DatagramSession? {
        if let known = sessions[client] { return known }
        guard sessions.count < Self.maxSessions,
            let backend = listener.choose(client: IPv4Address(client.address)).first,
            let session = DatagramSession(client, backend, self), watch(session)
        else { return nil }
        sessions[client] = session
        return session
    }
}

/// A client of datagrams, and the endpoint that it talks to.
final class DatagramSession {
    let client: DatagramRelay.Client
    let backend: Balancer.Backend
    private(set) weak var relay: DatagramRelay?
    var lastUsed = ContinuousClock.now
    private let descriptor: Descriptor

    /// A client is forgotten when nothing has passed for so long.
    static let idleLimit = Duration.seconds(60)

    /// Nil where the kernel refuses.
    init?(_ client: DatagramRelay.Client, _ backend: Balancer.Backend, _ relay: DatagramRelay) {
        let number = clinux_connect_datagrams(backend.address.value, UInt16(truncatingIfNeeded: backend.port))
        guard number >= 0 else { return nil }
        clinux_keep_datagrams(number, DatagramBuffer.socketBytes)
        descriptor = Descriptor(owning: number)
        self.client = client
        self.backend = backend
        self.relay = relay
    }

    var number: Int32 { descriptor.withRawValue { $0 } }
    var isIdle: Bool { .now - lastUsed >= Self.idleLimit }
}

/// The datagrams that a thread receives and sends with one call each.
final class DatagramBuffer {
    private static let count = 64
    /// What a socket may keep, where the system allows it.
    static let socketBytes: Int32 = 4 << 20

    // As much memory as the datagrams are long: what was never written takes none.
    private let bytes = UnsafeMutableRawPointer.allocate(
        byteCount: count * Int(clinux_datagram_max), alignment: Int(getpagesize()))
    private var list = [clinux_datagram](repeating: clinux_datagram(), count: count)

    deinit { bytes.deallocate() }

    /// - Returns: how many there were; -1 with `errno`.
    func receive(from socket: Int32) -> Int {
        Int(clinux_receive_datagrams(socket, bytes, &list, Int32(Self.count)))
    }

    func client(_ index: Int) -> DatagramRelay.Client {
        DatagramRelay.Client(address: list[index].address, port: list[index].port)
    }

    /// What the kernel does not take is lost, as datagrams are.
    func send(_ range: Range<Int>, to socket: Int32, for client: DatagramRelay.Client?) {
        for index in range {
            list[index].address = client?.address ?? 0
            list[index].port = client?.port ?? 0
        }
        let start = bytes + range.lowerBound * Int(clinux_datagram_max)
        list.withUnsafeBufferPointer { list in
            guard let base = list.baseAddress else { return }
            _ = clinux_send_datagrams(socket, start, base + range.lowerBound, Int32(range.count))
        }
    }
}
