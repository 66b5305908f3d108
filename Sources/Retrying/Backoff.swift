/// Retrying: how long to wait between attempts, and how to repeat one until it succeeds.
///
/// The one back-off of all processes. It depends on no other target and does no input or output.

/// The waits between attempts: each twice the one before, up to a max.
///
/// A value that reads no clock: it says how long to wait, and its owner waits.
public struct Backoff: Sendable, Hashable {
    public let first: Duration
    public let max: Duration
    /// The part of a wait that is left to chance, from 0 to 1, so that many clients do not ask in step.
    public let jitter: Double
    /// Whether there is no wait after the first failure; `first` comes after the second.
    public let startsAtOnce: Bool
    /// What runs longer than this was no failure: the next one counts as the first. Nil to reset by hand only.
    public let resetAfter: Duration?
    public private(set) var failures = 0

    public init(
        first: Duration, max: Duration, jitter: Double = 0, startsAtOnce: Bool = false, resetAfter: Duration? = nil
    ) {
        self.first = first
        self.max = max
        self.jitter = jitter
        self.startsAtOnce = startsAtOnce
        self.resetAfter = resetAfter
    }

    /// For clients of a server that may be down for long.
    public static let reconnect = Backoff(first: .milliseconds(50), max: .seconds(30), jitter: 0.5)

    /// The wait after failure `number`, counted from 1, without jitter.
    public func delay(afterFailure number: Int) -> Duration {
        let doublings = number - (startsAtOnce ? 2 : 1)
        guard doublings >= 0 else { return .zero }
        // Beyond 2^40 every wait is over any max in use; the bound keeps the shift defined.
        return min(max, first * (1 << min(doublings, 40)))
    }

    /// Counts one more failure, of something that ran so long.
    ///
    /// - Returns: the wait before the next attempt.
    public mutating func next(afterRunning lifetime: Duration = .zero) -> Duration {
        if let resetAfter, lifetime > resetAfter { failures = 0 }
        failures += 1
        let delay = delay(afterFailure: failures)
        return jitter == 0 ? delay : delay * (1 - jitter * Double.random(in: 0...1))
    }

    public mutating func reset() { failures = 0 }
}

extension Duration {
    public var inSeconds: Double { self / .seconds(1) }
}
