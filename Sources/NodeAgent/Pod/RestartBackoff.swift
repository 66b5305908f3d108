/// Delays between attempts: none or `initial` first, then 10 s doubling to 5 min.
struct RestartBackoff: Sendable, Equatable {
    static let base = 10.0
    static let longest = 300.0
    /// A run of this many seconds is a success; what follows it starts anew.
    static let forgiven = 600.0

    private let initial: Double
    private(set) var delay: Double

    init(initial: Double = 0) {
        self.initial = initial
        delay = initial
    }

    /// The delay before the next attempt, after one that lasted so many seconds.
    mutating func next(after seconds: Double) -> Double {
        if seconds > Self.forgiven { delay = initial }
        let result = delay
        delay = delay == 0 ? Self.base : min(delay * 2, Self.longest)
        return result
    }

    mutating func reset() { delay = initial }

    /// Counts the attempts that were made before, the oldest first, each by the seconds that it lasted.
    mutating func resume(after durations: [Double]) { for seconds in durations { _ = next(after: seconds) } }
}
