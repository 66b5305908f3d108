import CLinux
import Glibc
import Linux

/// One direction of a relayed connection: what one end receives the other sends.
///
/// Nothing is read before what was read earlier has gone, so what is in flight is bounded. Messages go through the
/// thread's buffer; where one fills it, a pipe takes over, in which the kernel moves pages and copies nothing (splice(2)).
/// The pipe goes back to the thread when the sender pauses.
struct RelayDirection {
    enum Step {
        /// Until the kernel reports one of the ends.
        case waiting
        /// There is more; other connections come first.
        case unfinished
        /// The sender has ended its output, and the receiver has been told.
        case ended
        case failed
    }

    private enum Transit {
        case empty
        /// Received, but not sent yet.
        case bytes(ArraySlice<UInt8>)
        /// In the pipe: the bytes that it holds.
        case pipe(RelayPipe, Int)
    }

    private var transit = Transit.empty
    /// The source has ended its output, or failed: which of them is known when all is read.
    private var isLast = false
    private(set) var hasEnded = false

    /// How often one direction goes on before others do.
    private static let maxRounds = 16

    /// Carries what there is.
    ///
    /// - Parameter isLast: the kernel has reported the end of what the source sends.
    mutating func advance(
        from source: Int32, to target: Int32, isLast: Bool, buffers: RelayBuffers
    ) -> Step {
        if hasEnded { return .ended }
        if isLast { self.isLast = true }
        for _ in 0..<Self.maxRounds {
            let step =
                switch transit {
                case .empty: receive(from: source, to: target, buffers: buffers)
                case .bytes(let rest): send(rest, to: target)
                case .pipe(let pipe, let count): move(pipe, count, from: source, to: target, buffers: buffers)
                }
            if let step { return step }
        }
        return .unfinished
    }

    /// Gives back what belongs to the thread, at the connection's end.
    mutating func abandon(_ buffers: RelayBuffers) {
        // What is left in a pipe is nobody's.
        if case .pipe(let pipe, let count) = transit, count == 0 { buffers.give(back: pipe) }
        transit = .empty
    }

    /// - Returns: nil to go on.
    private mutating func receive(from source: Int32, to target: Int32, buffers: RelayBuffers) -> Step? {
        let buffer = buffers.bytes
        let count = recv(source, buffer.baseAddress, buffer.count, 0)
        guard count > 0 else { return count == 0 ? end(target) : Self.step(errno) }
        let sent = Glibc.send(target, buffer.baseAddress, count, Int32(MSG_NOSIGNAL))
        if sent < 0, errno != EAGAIN, errno != EINTR { return .failed }
        if sent < count {
            transit = .bytes(ArraySlice(buffer[max(sent, 0)..<count]))
            return nil
        }
        guard count == buffer.count else {
            // All that there was: more is reported anew (epoll(7), edge-triggered).
            return isLast ? nil : .waiting
        }
        if let pipe = buffers.takePipe() { transit = .pipe(pipe, 0) }
        return nil
    }

    private mutating func send(_ rest: ArraySlice<UInt8>, to target: Int32) -> Step? {
        let sent = rest.withUnsafeBytes {
            Glibc.send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent >= 0 else { return Self.step(errno) }
        transit = sent == rest.count ? .empty : .bytes(rest.dropFirst(sent))
        return nil
    }

    private mutating func move(
        _ pipe: RelayPipe, _ count: Int, from source: Int32, to target: Int32, buffers: RelayBuffers
    ) -> Step? {
        if count > 0 {
            let sent = pipe.send(count, to: target)
            guard sent > 0 else { return sent == 0 ? .failed : Self.step(errno) }
            transit = .pipe(pipe, count - sent)
            return nil
        }
        let received = pipe.fill(from: source)
        if received > 0 {
            transit = .pipe(pipe, received)
            return nil
        }
        let reason = errno
        if received < 0, reason == EINTR { return nil }
        buffers.give(back: pipe)
        transit = .empty
        return received == 0 ? end(target) : Self.step(reason)
    }

    private mutating func end(_ target: Int32) -> Step {
        shutdown(target, Int32(SHUT_WR))
        hasEnded = true
        return .ended
    }

    private static func step(_ reason: Int32) -> Step? {
        switch reason {
        case EAGAIN: .waiting
        case EINTR: nil
        default: .failed
        }
    }
}

/// What the connections of one thread use in turn.
final class RelayBuffers {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)
    private(set) lazy var datagrams = DatagramBuffer()
    private var pipes: [RelayPipe] = []

    /// Enough for the connections that are moving much at the same time.
    private static let maxIdlePipes = 16

    deinit { bytes.deallocate() }

    /// Nil where the process has no descriptors left.
    func takePipe() -> RelayPipe? { pipes.popLast() ?? RelayPipe() }

    func give(back pipe: RelayPipe) { if pipes.count < Self.maxIdlePipes { pipes.append(pipe) } }
}

/// A pipe in which bytes pass from one socket to another.
final class RelayPipe {
    private let output: Descriptor
    private let input: Descriptor

    private static let size = 1 << 20

    init?() {
        var ends: [Int32] = [-1, -1]
        guard clinux_relay_pipe(&ends, Int32(Self.size)) == 0 else { return nil }
        output = Descriptor(owning: ends[0])
        input = Descriptor(owning: ends[1])
    }

    /// - Returns: how many bytes a socket had for the empty pipe; 0 at its end, -1 with `errno`.
    func fill(from socket: Int32) -> Int { input.withRawValue { clinux_splice(socket, $0, Self.size) } }

    func send(_ count: Int, to socket: Int32) -> Int { output.withRawValue { clinux_splice($0, socket, count) } }
}
