import Addresses
import CLinux
import Glibc
import Linux
import Synchronization

/// The threads that carry connections between the host and the cluster.
///
/// On threads of their own, with a descriptor, a slot and nothing more a connection that waits: a server framework's
/// pipeline cost several times what carrying a message does.
final class RelayLoop: Sendable {
    static let shared = Result { () throws(SystemError) in try RelayLoop() }

    private let threads: [RelayCommands]

    private init() throws(SystemError) {
        var threads: [RelayCommands] = []
        for index in 0..<min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 4) {
            let commands = try RelayCommands()
            let epoll = try RelayThread.makeSet(commands).lease()
            Blocking.startThread(name: "relay-\(index)") { RelayThread(epoll: epoll, commands: commands).run() }
            threads.append(commands)
        }
        self.threads = threads
    }

    func listen(_ listener: RelayListener) { for thread in threads(of: listener) { thread.send(.listen(listener)) } }

    /// Accepts no more; returns when no thread does.
    func stop(_ listener: RelayListener) async {
        for thread in threads(of: listener) { await withCheckedContinuation { thread.send(.stop(listener, $0)) } }
    }

    /// Lets go of what does not suit the listener's endpoints; returns when all has gone.
    func review(_ listener: RelayListener) async {
        // A connection goes on whatever becomes of its endpoint.
        guard listener.transport == .datagram else { return }
        for thread in threads(of: listener) { await withCheckedContinuation { thread.send(.review(listener, $0)) } }
    }

    /// A client's datagrams stay in order on one thread; connections are accepted by each.
    private func threads(of listener: RelayListener) -> [RelayCommands] {
        switch listener.transport {
        case .stream: threads
        case .datagram: [threads[abs(ObjectIdentifier(listener).hashValue % threads.count)]]
        }
    }
}

/// What other threads ask of a relay thread.
final class RelayCommands: Sendable {
    enum Command: Sendable {
        case listen(RelayListener)
        case stop(RelayListener, CheckedContinuation<Void, Never>)
        case review(RelayListener, CheckedContinuation<Void, Never>)
    }

    /// Readable when there are commands (eventfd(2)).
    let signal: SharedDescriptor
    private let waiting = Mutex<[Command]>([])

    init() throws(SystemError) {
        let number = clinux_event()
        guard number >= 0 else { throw SystemError("eventfd") }
        signal = SharedDescriptor(owning: number)
    }

    func send(_ command: Command) {
        waiting.withLock { $0.append(command) }
        try? signal.withRawValue { clinux_event_signal($0) }
    }

    func take() -> [Command] {
        try? signal.withRawValue { clinux_event_reset($0) }
        return waiting.withLock { commands in
            defer { commands = [] }
            return commands
        }
    }
}

/// A socket of the host that awaits clients, and where what they send goes.
final class RelayListener: Sendable {
    enum Transport {
        case stream
        case datagram
    }

    let transport: Transport
    private let descriptor: SharedDescriptor
    private let balancer: Mutex<Balancer>

    /// - Parameter descriptor: becomes non-blocking.
    init(_ descriptor: consuming Descriptor, _ transport: Transport, _ balancer: Balancer) throws(SystemError) {
        self.transport = transport
        self.descriptor = SharedDescriptor(descriptor)
        self.balancer = Mutex(balancer)
        try self.descriptor.setNonBlocking(true)
        try self.descriptor.withRawValue { number in
            switch transport {
            // Its connections inherit that (tcp(7)).
            case .stream: clinux_send_at_once(number)
            case .datagram: clinux_keep_datagrams(number, DatagramBuffer.socketBytes)
            }
        }
    }

    func update(backends: [Balancer.Backend], affinityTimeout: Duration?) {
        balancer.withLock { $0.update(backends: backends, affinityTimeout: affinityTimeout) }
    }

    func choose(client: IPv4Address) -> [Balancer.Backend] {
        balancer.withLock { $0.choose(client: client, now: .now) }
    }

    func has(_ backend: Balancer.Backend) -> Bool { balancer.withLock { $0.backends.contains(backend) } }

    /// Nil with `errno` where there is no client.
    func accept(_ address: inout UInt32, _ port: inout UInt16) -> Int32? {
        let number = try? descriptor.withRawValue { clinux_accept_client($0, &address, &port) }
        return number.flatMap { $0 < 0 ? nil : $0 }
    }

    func withRawValue<Result>(_ body: (Int32) -> Result) -> Result? { try? descriptor.withRawValue { body($0) } }
}
