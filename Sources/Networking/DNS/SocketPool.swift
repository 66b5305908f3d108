import Linux
import Synchronization

/// Sockets that are lent to one query at a time.
final class SocketPool: Sendable {
    private typealias Waiter = CheckedContinuation<Result<SharedDescriptor, DNSUpstreamFailure>, Never>

    private struct State {
        var free: [SharedDescriptor]
        var waiting: [Waiter] = []
    }

    /// How many queries wait for a socket; more would be answered when nobody waits any more.
    static let maxWaiting = 128

    private let state: Mutex<State>
    /// Without any, nobody ever gets one.
    let isEmpty: Bool

    init(_ sockets: [SharedDescriptor]) {
        isEmpty = sockets.isEmpty
        state = Mutex(State(free: sockets))
    }

    func take() async throws(DNSUpstreamFailure) -> SharedDescriptor {
        let taken: Result<SharedDescriptor, DNSUpstreamFailure> = await withCheckedContinuation { continuation in
            let result = state.withLock { state -> Result<SharedDescriptor, DNSUpstreamFailure>? in
                if let socket = state.free.popLast() { return .success(socket) }
                guard state.waiting.count < Self.maxWaiting else { return .failure(.overloaded) }
                state.waiting.append(continuation)
                return nil
            }
            if let result { continuation.resume(returning: result) }
        }
        return try taken.get()
    }

    func giveBack(_ socket: SharedDescriptor) {
        let next = state.withLock { state -> Waiter? in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            state.free.append(socket)
            return nil
        }
        next?.resume(returning: .success(socket))
    }
}
