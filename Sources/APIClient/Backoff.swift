/// Growing waits between attempts, so that a failing peer is not hammered and many clients do not ask in step.
public struct Backoff: Sendable {
    public let first: Duration
    public let longest: Duration
    /// The part of a wait that is left to chance, from 0 to 1.
    public let jitter: Double
    public private(set) var failures = 0

    public init(first: Duration = .milliseconds(50), longest: Duration = .seconds(30), jitter: Double = 0.5) {
        self.first = first
        self.longest = longest
        self.jitter = jitter
    }

    /// The wait after one more failure: twice the one before.
    public mutating func next() -> Duration {
        let base = Self.delay(first: first, longest: longest, failures: failures)
        failures += 1
        return base * (1 - jitter * Double.random(in: 0...1))
    }

    public mutating func reset() { failures = 0 }

    /// `first` doubled `failures` times, at most `longest`.
    static func delay(first: Duration, longest: Duration, failures: Int) -> Duration {
        // Beyond 2^40 every wait is over any limit in use; the bound keeps the shift defined.
        min(longest, first * (1 << min(failures, 40)))
    }
}
