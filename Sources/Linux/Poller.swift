import CLinux
import Glibc
import Synchronization

/// One thread that waits on descriptors (epoll) for everyone, so that no other has to.
///
/// Readiness is reported once a call, on the poller's thread: what runs there must be short.
public final class Poller: Sendable {
    public static let shared = Poller()

    private struct Waiters {
        var next: UInt64 = 1
        var handlers: [UInt64: Handler] = [:]
    }
    /// One wait, with a copy of its descriptor: a descriptor can be in an epoll set only once, and may be closed by its
    /// owner meanwhile.
    private final class Handler: Sendable {
        let descriptor: Descriptor
        let call: @Sendable () -> Void

        init(_ descriptor: consuming Descriptor, _ call: @escaping @Sendable () -> Void) {
            self.descriptor = descriptor
            self.call = call
        }
    }

    private let epoll: Descriptor
    private let waiters = Mutex(Waiters())

    /// A thread of its own for its whole life; use `shared`.
    private init() {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(number >= 0, "epoll_create1: errno \(errno)")
        epoll = Descriptor(owning: number)
        startThread(name: "poller") { self.run() }
    }

    /// Calls `handler` once when the descriptor is readable (or at its end).
    ///
    /// - Returns: a ticket for `cancel`.
    public func whenReadable(
        _ descriptor: SharedDescriptor, _ handler: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Ticket {
        try arm(descriptor, UInt32(EPOLLIN.rawValue), handler)
    }

    /// Calls `handler` once when the descriptor takes more bytes.
    public func whenWritable(
        _ descriptor: SharedDescriptor, _ handler: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Ticket {
        try arm(descriptor, UInt32(EPOLLOUT.rawValue), handler)
    }

    public struct Ticket: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    /// Forgets a handler that was not called yet.
    ///
    /// - Returns: false if it was called, or is about to be.
    @discardableResult
    public func cancel(_ ticket: Ticket) -> Bool {
        guard let handler = waiters.withLock({ $0.handlers.removeValue(forKey: ticket.number) }) else { return false }
        forget(handler)
        return true
    }

    private func forget(_ handler: Handler) {
        epoll.withRawValue { set in
            handler.descriptor.withRawValue { _ = epoll_ctl(set, EPOLL_CTL_DEL, $0, nil) }
        }
    }

    /// Waits until the descriptor is readable or at its end.
    public func readable(_ descriptor: SharedDescriptor) async throws {
        try await wait { handler throws(SystemError) in try self.whenReadable(descriptor, handler) }
    }

    public func writable(_ descriptor: SharedDescriptor) async throws {
        try await wait { handler throws(SystemError) in try self.whenWritable(descriptor, handler) }
    }

    private enum Wait {
        case idle
        case waiting(CheckedContinuation<Void, any Error>, Ticket)
        case cancelled
    }

    private func wait(
        _ arm: @escaping @Sendable (@escaping @Sendable () -> Void) throws(SystemError) -> Ticket
    ) async throws {
        let state = Mutex(Wait.idle)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                state.withLock { state in
                    if case .cancelled = state { return continuation.resume(throwing: CancellationError()) }
                    do throws(SystemError) {
                        state = .waiting(continuation, try arm { continuation.resume() })
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            }
        } onCancel: {
            state.withLock { state in
                if case .waiting(let continuation, let ticket) = state {
                    if cancel(ticket) { continuation.resume(throwing: CancellationError()) }
                }
                state = .cancelled
            }
        }
    }

    private func arm(
        _ descriptor: SharedDescriptor, _ events: UInt32, _ call: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Ticket {
        let handler = Handler(try descriptor.duplicate(), call)
        return try waiters.withLock { waiters throws(SystemError) in
            let number = waiters.next
            var event = epoll_event(
                events: events | UInt32(EPOLLONESHOT.rawValue), data: epoll_data_t(u64: number))
            try epoll.withRawValue { set throws(SystemError) in
                try handler.descriptor.withRawValue { added throws(SystemError) in
                    _ = try check("epoll_ctl") { epoll_ctl(set, EPOLL_CTL_ADD, added, &event) }
                }
            }
            waiters.next += 1
            waiters.handlers[number] = handler
            return Ticket(number: number)
        }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll.withRawValue { epoll_wait($0, &events, 64, -1) }
            guard count > 0 else { continue }
            for event in events[..<Int(count)] {
                let number = event.data.u64
                guard let handler = waiters.withLock({ $0.handlers.removeValue(forKey: number) }) else { continue }
                forget(handler)
                handler.call()
            }
        }
    }
}
