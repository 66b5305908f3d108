import NIOCore
import Synchronization

/// How many connections there may be, and for how long one may keep the server waiting. Times are kube-apiserver's.
struct ConnectionLimits: Sendable {
    /// Of all connections.
    var count = 10_000
    /// Of those whose client has not shown who it is, from one address.
    var unknownPerPeer = 1000
    /// From accepting a connection to the head of its first request, the handshake included.
    var firstRequest = TimeAmount.seconds(32)
    /// Between two requests, and between two parts of one.
    var idle = Duration.seconds(90)
    /// For the whole body of a request that is not streamed.
    var body = TimeAmount.seconds(60)
}

/// The connections that there are. Where one too many comes, the oldest one whose client has not shown who it is makes
/// room: so whoever opens many keeps nobody out who has a certificate or a token.
final class Connections: Sendable {
    private struct Entry {
        let peer: String
        let channel: any Channel
    }

    private struct State {
        var next: UInt64 = 1
        var count = 0
        var unknown: [UInt64: Entry] = [:]
        var unknownByPeer: [String: Int] = [:]

        mutating func forget(_ number: UInt64) -> Entry? {
            guard let entry = unknown.removeValue(forKey: number) else { return nil }
            let left = (unknownByPeer[entry.peer] ?? 1) - 1
            unknownByPeer[entry.peer] = left == 0 ? nil : left
            return entry
        }

        mutating func evictOldest(of peer: String?) -> Entry? {
            let oldest = unknown.lazy.filter { peer == nil || $0.value.peer == peer }.map(\.key).min()
            return oldest.flatMap { forget($0) }
        }
    }

    let limits: ConnectionLimits
    private let state = Mutex(State())

    init(limits: ConnectionLimits) { self.limits = limits }

    /// - Returns: nil where there is no room for another one.
    func admit(_ channel: any Channel) -> Connection? {
        let peer = channel.remoteAddress?.ipAddress ?? ""
        let (number, evicted) = state.withLock { state -> (UInt64?, Entry?) in
            var evicted: Entry?
            if state.count >= limits.count {
                evicted = state.evictOldest(of: nil)
                guard evicted != nil else { return (nil, nil) }
            } else if state.unknownByPeer[peer, default: 0] >= limits.unknownPerPeer {
                evicted = state.evictOldest(of: peer)
            }
            let number = state.next
            state.next += 1
            state.count += 1
            state.unknown[number] = Entry(peer: peer, channel: channel)
            state.unknownByPeer[peer, default: 0] += 1
            return (number, evicted)
        }
        evicted?.channel.close(promise: nil)
        guard let number else { return nil }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.count -= 1
                _ = state.forget(number)
            }
        }
        return Connection(number: number, all: self)
    }

    fileprivate func identify(_ number: UInt64) { _ = state.withLock { $0.forget(number) } }
}

/// One connection, from when it is accepted.
final class Connection: Sendable {
    private let number: UInt64
    private let all: Connections
    private let isIdentified = Atomic(false)
    private let requests = Atomic(0)
    private let hasRequested = Atomic(false)
    private let lastEnd = Atomic(NIODeadline.now().uptimeNanoseconds)

    fileprivate init(number: UInt64, all: Connections) {
        self.number = number
        self.all = all
    }

    var limits: ConnectionLimits { all.limits }

    func beginRequest() {
        requests.add(1, ordering: .relaxed)
        hasRequested.store(true, ordering: .relaxed)
    }

    /// Whether there has been a request.
    var hasBegun: Bool { hasRequested.load(ordering: .relaxed) }

    func endRequest() {
        lastEnd.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed)
        requests.subtract(1, ordering: .releasing)
    }

    /// Whether no request is under way, and none has been for as long as a connection may be idle.
    var isIdle: Bool {
        guard requests.load(ordering: .acquiring) == 0 else { return false }
        let since = NIODeadline.now() - NIODeadline.uptimeNanoseconds(lastEnd.load(ordering: .relaxed))
        return since >= TimeAmount(limits.idle)
    }

    /// The client has shown who it is: nobody else's connection is worth more.
    func identify() {
        guard !isIdentified.load(ordering: .relaxed) else { return }
        isIdentified.store(true, ordering: .relaxed)
        all.identify(number)
    }
}
