import Addresses
import CLinux
import Glibc
import Linux

/// What one relay thread knows: the listeners that it shares with the others, and the connections that it has accepted.
final class RelayThread {
    private enum Entry {
        case free
        case listener(RelayListener)
        case connection(RelayedConnection)
        case datagrams(DatagramRelay)
        case session(DatagramSession)
    }

    /// A place in the kernel's reports: a report on what was there before is known by its generation.
    private struct Slot {
        var generation: UInt32 = 0
        var entry = Entry.free
    }

    private let epoll: SharedDescriptor.Lease
    private let commands: RelayCommands
    private let buffers = RelayBuffers()
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var unfinished: [UInt64] = []
    /// Connections to endpoints that may take no longer than this, the oldest first.
    private var connecting = Deadlines(.seconds(2))
    /// Clients of datagrams: what is due is a look whether they are idle.
    private var sessions = Deadlines(DatagramSession.idleLimit)
    /// Listeners that wait because the process had no descriptors left.
    private var paused = Deadlines(.milliseconds(100))

    private static let wake = UInt64.max
    private static let maxEvents = 256
    /// How many clients one thread accepts before it serves those it has, and the others get some.
    private static let maxAccepted = 16

    /// - Parameter epoll: of `makeSet`, for the thread's whole life.
    init(epoll: SharedDescriptor.Lease, commands: RelayCommands) {
        self.epoll = epoll
        self.commands = commands
    }

    /// A set of descriptors to wait for, with the signal of `commands`.
    static func makeSet(_ commands: RelayCommands) throws(SystemError) -> SharedDescriptor {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw SystemError("epoll_create1") }
        let epoll = SharedDescriptor(owning: number)
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: wake))
        let result = try commands.signal.withRawValue { epoll_ctl(number, EPOLL_CTL_ADD, $0, &event) }
        guard result == 0 else { throw SystemError("epoll_ctl") }
        return epoll
    }

    func run() -> Never {
        var events = [epoll_event](repeating: epoll_event(), count: Self.maxEvents)
        while true {
            let limit =
                unfinished.isEmpty ? min(connecting.milliseconds, paused.milliseconds, sessions.milliseconds) : 0
            let wait = limit == .max ? -1 : Int32(clamping: limit)
            let count = epoll_wait(epoll.number, &events, Int32(Self.maxEvents), wait)
            for index in 0..<max(Int(count), 0) {
                let tag = events[index].data.u64
                if tag == Self.wake { obey() } else { serve(tag, events[index].events) }
            }
            let rest = unfinished
            unfinished = []
            for tag in rest { serve(tag, EPOLLIN.rawValue | EPOLLOUT.rawValue) }
            while let tag = connecting.popExpired() { giveUp(tag) }
            while let tag = paused.popExpired() { resume(tag) }
            while let tag = sessions.popExpired() { endIfIdle(tag) }
        }
    }

    private func obey() {
        for command in commands.take() {
            switch command {
            case .listen(let listener):
                switch listener.transport {
                case .stream: resume(add(.listener(listener)))
                case .datagram:
                    let tag = add(.datagrams(DatagramRelay(listener)))
                    listener.withRawValue { _ = watch($0, EPOLLIN.rawValue, tag) }
                }
            case .stop(let listener, let done):
                stop(listener)
                done.resume()
            case .review(let listener, let done):
                for slot in slots {
                    guard case .datagrams(let relay) = slot.entry, relay.listener === listener else { continue }
                    let stale = relay.takeStale()
                    end(where: { session in stale.contains { $0 === session } })
                }
                done.resume()
            }
        }
    }

    private func stop(_ listener: RelayListener) {
        ignore(listener)
        for index in slots.indices {
            switch slots[index].entry {
            case .listener(let known): if known === listener { free(index) }
            case .datagrams(let relay):
                guard relay.listener === listener else { continue }
                end(where: { $0.relay === relay })
                free(index)
            case .free, .connection, .session: continue
            }
        }
    }

    // MARK: reports

    private func serve(_ tag: UInt64, _ events: UInt32) {
        switch entry(tag) {
        case .free: break
        case .listener(let listener): accept(listener, tag)
        case .datagrams(let relay):
            relay.receive(buffers) { session in
                let tag = add(.session(session))
                guard watch(session.number, EPOLLIN.rawValue, tag) else {
                    free(Self.index(tag))
                    return false
                }
                sessions.append(tag)
                return true
            }
        case .session(let session):
            guard let relay = session.relay, !relay.answer(session, buffers) else { return }
            end(session, tag)
        case .connection(let connection):
            switch connection.phase {
            case .connecting:
                // Of the client nothing is reported before.
                if connection.hasConnected() { open(connection, tag, events) } else { connect(connection, tag) }
            case .open: advance(connection, tag, events)
            }
        }
    }

    private func advance(_ connection: RelayedConnection, _ tag: UInt64, _ events: UInt32) {
        let side: RelayedConnection.Side = tag & 1 == 0 ? .client : .server
        switch connection.advance(side, events: events, buffers: buffers) {
        case .waiting: break
        case .unfinished: unfinished.append(tag)
        case .ended: end(connection, tag)
        case .failed:
            connection.resetOnClose()
            end(connection, tag)
        }
    }

    private func accept(_ listener: RelayListener, _ tag: UInt64) {
        for _ in 0..<Self.maxAccepted {
            var (address, port) = (UInt32(0), UInt16(0))
            guard let number = listener.accept(&address, &port) else {
                switch errno {
                case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                    ignore(listener)
                    paused.append(tag)
                    return
                // That client has gone.
                case EINTR, ECONNABORTED: continue
                default: return
                }
            }
            let backends = listener.choose(client: IPv4Address(address))
            let connection = RelayedConnection(client: Descriptor(owning: number), backends: backends)
            connect(connection, add(.connection(connection)))
        }
    }

    /// Tries the endpoints one after another; a client for whom there is none is reset.
    private func connect(_ connection: RelayedConnection, _ former: UInt64) {
        // What is due, or reported, of the endpoint before is not of the next.
        let tag = renew(former)
        while let server = connection.connectToNext() {
            guard watch(server.number, Self.connectionEvents, tag | 1) else { continue }
            connecting.append(tag)
            return
        }
        connection.resetOnClose()
        end(connection, tag)
    }

    /// - Parameter events: what the endpoint has sent already is not reported again.
    private func open(_ connection: RelayedConnection, _ tag: UInt64, _ events: UInt32) {
        let isWatched = connection.client.withRawValue { watch($0, Self.connectionEvents, tag & ~1) }
        guard isWatched else {
            connection.resetOnClose()
            return end(connection, tag)
        }
        advance(connection, tag, events)
    }

    private func giveUp(_ tag: UInt64) {
        guard case .connection(let connection) = entry(tag), case .connecting = connection.phase else { return }
        connect(connection, tag)
    }

    private func resume(_ tag: UInt64) {
        guard case .listener(let listener) = entry(tag) else { return }
        // One thread of those that wait is woken.
        listener.withRawValue { _ = watch($0, EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue, tag) }
    }

    private func end(_ connection: RelayedConnection, _ tag: UInt64) {
        connection.abandon(buffers)
        free(Self.index(tag))
    }

    private func endIfIdle(_ tag: UInt64) {
        guard case .session(let session) = entry(tag) else { return }
        if session.isIdle { end(session, tag) } else { sessions.append(tag) }
    }

    private func end(_ session: DatagramSession, _ tag: UInt64) {
        session.relay?.forget(session)
        free(Self.index(tag))
    }

    private func end(where suits: (DatagramSession) -> Bool) {
        for index in slots.indices {
            if case .session(let session) = slots[index].entry, suits(session) { free(index) }
        }
    }

    private static let connectionEvents =
        EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue

    private func watch(_ number: Int32, _ events: UInt32, _ tag: UInt64) -> Bool {
        var event = epoll_event(events: events, data: epoll_data_t(u64: tag))
        return epoll_ctl(epoll.number, EPOLL_CTL_ADD, number, &event) == 0
    }

    private func ignore(_ listener: RelayListener) {
        listener.withRawValue { _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, $0, nil) }
    }

    // MARK: slots

    /// The lowest bit is for the side.
    private static func index(_ tag: UInt64) -> Int { Int(tag & 0xffff_ffff) >> 1 }

    private func tag(_ index: Int) -> UInt64 { UInt64(slots[index].generation) << 32 | UInt64(index) << 1 }

    private func add(_ entry: Entry) -> UInt64 {
        let index: Int
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = slots.count
            slots.append(Slot())
        }
        slots[index].entry = entry
        return tag(index)
    }

    private func entry(_ tag: UInt64) -> Entry {
        let index = Self.index(tag)
        guard slots.indices.contains(index), slots[index].generation == UInt32(tag >> 32) else { return .free }
        return slots[index].entry
    }

    /// What was reported of the slot, but not served yet, is no longer of it.
    private func renew(_ tag: UInt64) -> UInt64 {
        slots[Self.index(tag)].generation &+= 1
        return self.tag(Self.index(tag))
    }

    private func free(_ index: Int) {
        slots[index] = Slot(generation: slots[index].generation &+ 1)
        freeSlots.append(index)
    }
}

/// Things that are each due the same time after they were added.
private struct Deadlines {
    private let delay: Duration
    private var times: [(tag: UInt64, time: ContinuousClock.Instant)] = []
    private var first = 0

    init(_ delay: Duration) { self.delay = delay }

    mutating func append(_ tag: UInt64) { times.append((tag, .now + delay)) }

    /// Until the next is due; `max` where there is none.
    var milliseconds: Int {
        guard first < times.count else { return .max }
        return max(0, Int((times[first].time - .now) / .milliseconds(1)) + 1)
    }

    mutating func popExpired() -> UInt64? {
        guard first < times.count, times[first].time <= .now else { return nil }
        defer {
            first += 1
            if first >= 1024 || first == times.count {
                times.removeSubrange(..<first)
                first = 0
            }
        }
        return times[first].tag
    }
}
