/// ServiceHTTP: a small HTTP/1.1 server for the example services, made to live in a container of 10 MiB.
///
/// One thread, epoll, no Foundation. It answers requests of known length with answers of known length, keeps
/// connections alive, takes pipelined requests, and ends without failing a request. It has no TLS, no chunked bodies
/// and no HTTP/2: a frontend does that.

import CEvents
import Glibc

/// Serves several ports until SIGTERM or SIGINT. Not for use by more than one thread.
public final class Server {
    public typealias Handler = (Request) -> Response

    /// Connections open at one time; further ones wait in the kernel, so that memory stays bounded.
    public var maximumConnections = 1000
    /// How long requests are still accepted after SIGTERM, in milliseconds: until the last client has heard that this
    /// instance is going.
    public var drainTime = 1000
    /// How long after that the requests under way may take, in milliseconds.
    public var graceTime = 10_000
    /// An idle connection is closed after so many milliseconds.
    public var idleTime = 75_000
    /// Set by SIGTERM: a readiness check should then fail.
    public private(set) var isEnding = false

    private let poller: Int32
    private var listeners: [Int32: Listener] = [:]
    private var connections: [Int32: Connection] = [:]
    private var isPaused = false
    private var log: [UInt8] = []

    private struct Listener {
        let handler: Handler
        let logsRequests: Bool
    }

    public init() throws(ServerError) {
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poller >= 0 else { throw ServerError("epoll_create1", errno) }
    }

    deinit { close(poller) }

    /// Listens on a port of all addresses, IPv4 and IPv6.
    public func listen(port: UInt16, logsRequests: Bool = true, handler: @escaping Handler) throws(ServerError) {
        let listener = try Self.socket(port: port)
        listeners[listener] = Listener(handler: handler, logsRequests: logsRequests)
        try watch(listener, EPOLLIN)
    }

    /// Serves until a signal asks for the end and the last request is answered.
    public func run() throws(ServerError) {
        let signals = try Self.blockSignals()
        defer { close(signals) }
        try watch(signals, EPOLLIN)
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        var endsAt: Int?
        var sweepsAt = Self.now + 1000
        while true {
            let count = epoll_wait(
                poller, &events, Int32(events.count), endsAt == nil && connections.isEmpty ? -1 : 100)
            guard count >= 0 || errno == EINTR else { throw ServerError("epoll_wait", errno) }
            for event in events.prefix(Int(max(0, count))) {
                let descriptor = event.data.fd
                if descriptor == signals {
                    var information = signalfd_siginfo()
                    _ = read(signals, &information, MemoryLayout<signalfd_siginfo>.size)
                    if isEnding { return }  // asked twice
                    isEnding = true
                    endsAt = Self.now + drainTime
                } else if listeners[descriptor] != nil {
                    accept(descriptor)
                } else if let connection = connections[descriptor] {
                    serve(connection)
                }
            }
            flushLog()
            let now = Self.now
            if now >= sweepsAt {
                sweepsAt = now + 1000
                for connection in connections.values where now - connection.usedAt > idleTime { drop(connection) }
            }
            if let end = endsAt, now >= end {
                stopListening()
                for connection in connections.values where connection.isFinished(now: now) { drop(connection) }
                if connections.isEmpty || now >= end + graceTime { return }
            }
        }
    }

    // MARK: Connections

    private func accept(_ descriptor: Int32) {
        guard let listener = listeners[descriptor] else { return }
        while connections.count < maximumConnections {
            let client = accept4(descriptor, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            guard client >= 0 else { return }
            var isOn: Int32 = 1
            setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
            connections[client] = Connection(
                client, handler: listener.handler, logsRequests: listener.logsRequests, now: Self.now)
            guard (try? watch(client, EPOLLIN)) != nil else {
                connections[client] = nil
                close(client)
                return
            }
        }
        pause(true)
    }

    /// While there are too many connections, new ones are left in the kernel's queue.
    private func pause(_ pauses: Bool) {
        guard pauses != isPaused else { return }
        isPaused = pauses
        for listener in listeners.keys {
            var event = epoll_event(events: pauses ? 0 : EPOLLIN.rawValue, data: epoll_data_t(fd: listener))
            epoll_ctl(poller, EPOLL_CTL_MOD, listener, &event)
        }
    }

    private func serve(_ connection: Connection) {
        connection.usedAt = Self.now
        let wasWriting = connection.hasOutput
        guard wasWriting || connection.receive() else { return drop(connection) }
        while !connection.hasOutput || connection.outputCount < 1 << 16 {
            guard let request = connection.nextRequest() else { break }
            let response = connection.handler(request)
            connection.answer(response, to: request, closing: isEnding)
            if connection.logsRequests { record(request, response) }
        }
        guard connection.send() else { return drop(connection) }
        if connection.hasOutput != wasWriting {
            let interest = connection.hasOutput ? EPOLLOUT : EPOLLIN
            var event = epoll_event(events: interest.rawValue, data: epoll_data_t(fd: connection.descriptor))
            epoll_ctl(poller, EPOLL_CTL_MOD, connection.descriptor, &event)
        }
    }

    private func drop(_ connection: Connection) {
        connections[connection.descriptor] = nil
        close(connection.descriptor)
        pause(false)
    }

    private func stopListening() {
        for listener in listeners.keys {
            // Whoever is in the queue already gets an answer.
            accept(listener)
            close(listener)
        }
        listeners = [:]
    }

    private func watch(_ descriptor: Int32, _ events: EPOLL_EVENTS) throws(ServerError) {
        var event = epoll_event(events: events.rawValue, data: epoll_data_t(fd: descriptor))
        guard epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw ServerError("epoll_ctl", errno) }
    }

    // MARK: Log

    private func record(_ request: Request, _ response: Response) {
        log += "\(request.method) \(request.target) \(response.status)\n".utf8
    }

    private func flushLog() {
        if log.isEmpty { return }
        _ = log.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        log.removeAll(keepingCapacity: log.count < 1 << 14)
    }

    // MARK: System

    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    private static func blockSignals() throws(ServerError) -> Int32 {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        sigprocmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        let descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard descriptor >= 0 else { throw ServerError("signalfd", errno) }
        return descriptor
    }

    private static func socket(port: UInt16) throws(ServerError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        var isOn: Int32 = 1
        var isOff: Int32 = 0
        let size = socklen_t(MemoryLayout<Int32>.size)
        var descriptor = Glibc.socket(AF_INET6, type, 0)
        let isIPv6 = descriptor >= 0
        if !isIPv6 { descriptor = Glibc.socket(AF_INET, type, 0) }
        guard descriptor >= 0 else { throw ServerError("socket", errno) }
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, size)
        var result: Int32
        if isIPv6 {
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &isOff, size)
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            result = bind(descriptor, &address)
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            result = bind(descriptor, &address)
        }
        if result == 0 { result = Glibc.listen(descriptor, 1024) }
        guard result == 0 else {
            let number = errno
            close(descriptor)
            throw ServerError("listen on port \(port)", number)
        }
        return descriptor
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}

public struct ServerError: Error, CustomStringConvertible {
    public let description: String

    init(_ operation: String, _ number: Int32) { description = "\(operation): \(String(cString: strerror(number)))" }
}
