import Dispatch
import Glibc

/// Signals that ask this process to end, as a stream, in place of their default effect.
public struct TerminationSignals: Sendable {
    public let signals: AsyncStream<Int32>

    public init(_ numbers: [Int32] = [SIGTERM, SIGINT]) {
        let (signals, continuation) = AsyncStream<Int32>.makeStream()
        self.signals = signals
        let queue = DispatchQueue(label: "signals")
        let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
        // A source without an owner would be released; these live as long as the stream. They may be used from any
        // thread; their type only does not say so.
        nonisolated(unsafe) let kept = sources
        continuation.onTermination = { _ in for source in kept { source.cancel() } }
    }
}
