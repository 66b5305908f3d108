import CInitProtocol
import Glibc
import Linux
import Synchronization

/// A connection to a pod's `martlet-init`: requests with answers, and events in between.
final class InitConnection: Sendable {
    private struct State {
        var nextTag: UInt32 = 1
        var waiting: [UInt32: CheckedContinuation<InitMessage, any Error>] = [:]
        /// Ends of programs run with `exec`, which may come before anyone waits for them.
        var execs: [UInt32: ExecEnd] = [:]
        var closed = false
    }
    private enum ExecEnd {
        case running
        case waited(CheckedContinuation<Int32, any Error>)
        case ended(Int32)
    }

    private let socket: PacketSocket
    private let state = Mutex(State())
    private let onState: @Sendable (InitMessage) -> Void
    private let onClose: @Sendable () -> Void

    /// - Parameters:
    ///   - onState: called, in order, with each state of a container.
    ///   - onClose: called once when the init is gone, or by `close`. It may block.
    init(
        path: String, onState: @escaping @Sendable (InitMessage) -> Void, onClose: @escaping @Sendable () -> Void
    ) throws {
        socket = try PacketSocket.connect(path)
        self.onState = onState
        self.onClose = onClose
        try socket.requestCredentials()
        try socket.setNonBlocking(true)
        try listen()
    }

    /// Sends a request and waits for its answer.
    ///
    /// - Throws: `InitGone` where the pod has ended. An errno in the answer is the caller's to judge.
    func request(
        _ type: InitRequest, flags: InitFlags = [], body: [UInt8] = [], descriptors: [SharedDescriptor] = []
    ) async throws -> InitMessage {
        try await withCheckedThrowingContinuation { continuation in
            let tag: UInt32? = state.withLock { state in
                guard !state.closed else { return nil }
                let tag = state.nextTag
                state.nextTag = tag == .max ? 1 : tag + 1
                state.waiting[tag] = continuation
                if type == .exec { state.execs[tag] = .running }
                return tag
            }
            guard let tag else { return continuation.resume(throwing: InitGone()) }
            do {
                // The init takes requests at once and answers each before the next: the buffer of some 200 kB never fills.
                try socket.send(InitMessage.request(type, flags: flags, tag: tag, body: body), descriptors: descriptors)
            } catch {
                let waiting = state.withLock { state in
                    state.execs[tag] = nil
                    return state.waiting.removeValue(forKey: tag)
                }
                // By the other side, or by a `close` in this process meanwhile.
                let gone = (error as? SystemError)?.errno == EPIPE || socket.descriptor.isClosed
                waiting?.resume(throwing: gone ? InitGone() : error)
            }
        }
    }

    /// Waits for the end of a program run with `exec`; returns its exit code.
    func execEnd(_ tag: UInt32) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            let code: Int32? = state.withLock { state in
                switch state.execs[tag] {
                case .ended(let code):
                    state.execs[tag] = nil
                    return code
                case .running where !state.closed:
                    state.execs[tag] = .waited(continuation)
                    return nil
                default: return 137
                }
            }
            if let code { continuation.resume(returning: code) }
        }
    }

    /// Forgets a program whose start failed.
    func forgetExec(_ tag: UInt32) { state.withLock { $0.execs[tag] = nil } }

    /// Ends the connection, and calls `onClose` before it returns.
    func close() { if finish() { onClose() } }

    private func listen() throws {
        _ = try Poller.shared.whenReadable(socket.descriptor) { [self] in
            drain()
            if state.withLock({ $0.closed }) { return }
            do { try listen() } catch { lose() }
        }
    }

    private func drain() {
        while true {
            let message: PacketSocket.Message
            do throws(SystemError) {
                message = try socket.receive(upTo: max_packet_size)
            } catch {
                if error.errno != EAGAIN { lose() }
                return
            }
            guard let parsed = InitMessage(message) else { return lose() }
            dispatch(parsed)
        }
    }

    private func dispatch(_ message: InitMessage) {
        if message.type == InitEvent.state.rawValue { return onState(message) }
        if message.type == InitEvent.execExit.rawValue {
            var reader = BodyReader(message.body)
            let code = Int32(truncatingIfNeeded: reader.number(UInt32.self))
            let waiter: CheckedContinuation<Int32, any Error>? = state.withLock { state in
                switch state.execs[message.tag] {
                case .waited(let continuation):
                    state.execs[message.tag] = nil
                    return continuation
                case .running: state.execs[message.tag] = .ended(code)
                default: break
                }
                return nil
            }
            waiter?.resume(returning: code)
            return
        }
        let waiter = state.withLock { $0.waiting.removeValue(forKey: message.tag) }
        // An answer that nobody waits for takes its descriptors along.
        waiter?.resume(returning: message)
    }

    /// The connection has ended. What is to be done then is not for the poller's thread, on which all wait.
    private func lose() { if finish() { Blocking.start { self.onClose() } } }

    /// - Returns: whether it has ended only now.
    private func finish() -> Bool {
        let (first, waiting, execs) = state.withLock { state in
            defer {
                state.closed = true
                state.waiting = [:]
                state.execs = state.execs.filter { if case .ended = $0.value { true } else { false } }
            }
            return (!state.closed, state.waiting, state.execs)
        }
        for (_, continuation) in waiting { continuation.resume(throwing: InitGone()) }
        // With the pod's init everything in the pod was killed.
        for case (_, .waited(let continuation)) in execs { continuation.resume(returning: 137) }
        if first { socket.close() }
        return first
    }
}

/// The pod's init has ended, and with it everything in the pod.
struct InitGone: Error, CustomStringConvertible {
    var description: String { "the pod's processes are gone" }
}
