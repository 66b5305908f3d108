import CLinux
import Glibc
import SystemPackage
import Synchronization

/// One thread that waits on descriptors (epoll) for everyone, so that no other has to.
///
/// Readiness is told once a call, on the poller's thread: what runs there must be short.
public final class Poller: Sendable {
    public static let shared = Poller()

    private struct Waiters {
        var next: UInt64 = 1
        var handlers: [UInt64: Handler] = [:]
    }
    private struct Handler {
        let descriptor: Int32
        let call: @Sendable () -> Void
    }

    private let epoll: Int32
    private let waiters = Mutex(Waiters())

    /// A thread of its own for its whole life; use `shared`.
    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(epoll >= 0, "epoll_create1: errno \(errno)")
        startThread(name: "poller") { self.run() }
    }

    /// Calls `handler` once when the descriptor is readable (or at its end).
    ///
    /// - Returns: a ticket for `cancel`.
    public func whenReadable(
        _ descriptor: FileDescriptor, _ handler: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Ticket {
        try arm(descriptor.rawValue, UInt32(EPOLLIN.rawValue), handler)
    }

    public func whenReadable(
        _ descriptor: SharedDescriptor, _ handler: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Ticket {
        try descriptor.withRawValue { number throws(SystemError) in
            try arm(number, UInt32(EPOLLIN.rawValue), handler)
        }
    }

    /// Calls `handler` once when the descriptor takes more bytes.
    public func whenWritable(
        _ descriptor: FileDescriptor, _ handler: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Ticket {
        try arm(descriptor.rawValue, UInt32(EPOLLOUT.rawValue), handler)
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
        epoll_ctl(epoll, EPOLL_CTL_DEL, handler.descriptor, nil)
        close(handler.descriptor)
        return true
    }

    /// Waits until the descriptor is readable or at its end.
    public func readable(_ descriptor: FileDescriptor) async throws {
        try await wait { handler throws(SystemError) in try self.whenReadable(descriptor, handler) }
    }

    public func writable(_ descriptor: FileDescriptor) async throws {
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
        _ descriptor: Int32, _ events: UInt32, _ handler: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Ticket {
        // A copy of its own: a descriptor can be in an epoll set only once, and may be closed by its owner meanwhile.
        let copy = try check("dup") { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
        return try waiters.withLock { waiters throws(SystemError) in
            let number = waiters.next
            var event = epoll_event(
                events: events | UInt32(EPOLLONESHOT.rawValue), data: epoll_data_t(u64: number))
            if epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &event) != 0 {
                let error = SystemError("epoll_ctl")
                close(copy)
                throw error
            }
            waiters.next += 1
            waiters.handlers[number] = Handler(descriptor: copy, call: handler)
            return Ticket(number: number)
        }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), -1)
            guard count > 0 else { continue }
            for event in events[..<Int(count)] {
                let number = event.data.u64
                guard let handler = waiters.withLock({ $0.handlers.removeValue(forKey: number) }) else { continue }
                epoll_ctl(epoll, EPOLL_CTL_DEL, handler.descriptor, nil)
                close(handler.descriptor)
                handler.call()
            }
        }
    }
}
