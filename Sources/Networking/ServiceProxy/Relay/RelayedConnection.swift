import CLinux
import Glibc
import Linux

/// A client's connection and the one to an endpoint that it is carried to. Used by one thread.
final class RelayedConnection {
    enum Phase {
        /// To the first of these; the others are tried after it.
        case connecting(ArraySlice<Balancer.Backend>)
        case open
    }

    let client: Descriptor
    private(set) var server: RelayServer?
    private(set) var phase: Phase
    private var toServer = RelayDirection()
    private var toClient = RelayDirection()

    enum Side: UInt64 {
        case client = 0
        case server = 1
    }

    init(client: consuming Descriptor, backends: [Balancer.Backend]) {
        self.client = client
        phase = .connecting(backends[...])
    }

    /// Begins to connect to the next endpoint.
    ///
    /// - Returns: its socket; nil where there is no further endpoint.
    func connectToNext() -> RelayServer? {
        guard case .connecting(var backends) = phase else { return nil }
        server = nil
        while let backend = backends.popFirst() {
            guard let server = RelayServer(backend) else { continue }
            self.server = server
            phase = .connecting(backends)
            return server
        }
        phase = .connecting([])
        return nil
    }

    /// The endpoint has answered.
    ///
    /// - Returns: whether it has taken the connection.
    func hasConnected() -> Bool {
        guard let server, clinux_socket_error(server.number) == 0 else { return false }
        phase = .open
        return true
    }

    /// Makes the client see a refusal or a failure, not the end of an answer.
    func resetOnClose() {
        clinux_reset_on_close(client.withRawValue { $0 })
        if let server { clinux_reset_on_close(server.number) }
    }

    /// Goes on after the kernel has reported `events` (EPOLLIN and others) of one side.
    func advance(_ side: Side, events: UInt32, buffers: RelayBuffers) -> RelayDirection.Step {
        guard let server else { return .failed }
        let (near, far) = (client.withRawValue { $0 }, server.number)
        let ends = events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        var isUnfinished = false
        for direction in [Side.client, .server] {
            // What comes from this side, and what waits to go to it.
            let comes = direction == side
            guard comes ? ends || events & EPOLLIN.rawValue != 0 : events & EPOLLOUT.rawValue != 0 else { continue }
            let step =
                direction == .client
                ? toServer.advance(from: near, to: far, isLast: comes && ends, buffers: buffers)
                : toClient.advance(from: far, to: near, isLast: comes && ends, buffers: buffers)
            switch step {
            case .failed: return .failed
            case .unfinished: isUnfinished = true
            case .waiting, .ended: break
            }
        }
        if isUnfinished { return .unfinished }
        return toServer.hasEnded && toClient.hasEnded ? .ended : .waiting
    }

    func abandon(_ buffers: RelayBuffers) {
        toServer.abandon(buffers)
        toClient.abandon(buffers)
    }
}

/// A connection to an endpoint.
final class RelayServer {
    private let descriptor: Descriptor

    /// Nil where the kernel refuses at once.
    init?(_ backend: Balancer.Backend) {
        let number = clinux_connect(backend.address.value, UInt16(truncatingIfNeeded: backend.port))
        guard number >= 0 else { return nil }
        descriptor = Descriptor(owning: number)
    }

    var number: Int32 { descriptor.withRawValue { $0 } }
}
