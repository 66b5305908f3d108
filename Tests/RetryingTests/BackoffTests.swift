import Retrying
import Testing

@Suite struct BackoffTests {
    struct Case: Sendable {
        let why: String
        let backoff: Backoff
        let waits: [Duration]
    }

    @Test(arguments: [
        Case(
            why: "doubles up to the max", backoff: Backoff(first: .milliseconds(100), max: .seconds(1)),
            waits: [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800), .seconds(1)]),
        Case(
            why: "as the kubelet restarts containers",
            backoff: Backoff(first: .seconds(10), max: .seconds(300), startsAtOnce: true),
            waits: [0, 10, 20, 40, 80, 160, 300, 300].map { .seconds($0) }),
        Case(
            why: "a max below the first wait", backoff: Backoff(first: .seconds(2), max: .seconds(1)),
            waits: [.seconds(1), .seconds(1)]),
    ])
    func waits(_ example: Case) {
        var backoff = example.backoff
        #expect(example.waits.map { _ in backoff.next() } == example.waits, "\(example.why)")
        #expect(backoff.failures == example.waits.count)
        backoff.reset()
        #expect(backoff.next() == example.waits.first, "\(example.why): after a reset")
    }

    @Test(arguments: [(0, 0), (1, 5), (2, 10), (3, 20), (60, 300), (Int.max, 300)])
    func delayAfterAFailure(number: Int, seconds: Int) {
        #expect(Backoff(first: .seconds(5), max: .seconds(300)).delay(afterFailure: number) == .seconds(seconds))
    }

    @Test(arguments: [(0, 20), (600, 20), (601, 0)])
    func whatRanLongEnoughWasNoFailure(lifetime: Int, wait: Int) {
        var backoff = Backoff(first: .seconds(10), max: .seconds(300), startsAtOnce: true, resetAfter: .seconds(600))
        _ = backoff.next()
        _ = backoff.next()
        #expect(backoff.next(afterRunning: .seconds(lifetime)) == .seconds(wait))
    }

    @Test func jitterShortensAWaitByItsPart() {
        var waits: Set<Duration> = []
        for _ in 0..<100 {
            var backoff = Backoff(first: .seconds(10), max: .seconds(10), jitter: 0.5)
            let wait = backoff.next()
            #expect(wait >= .seconds(5) && wait <= .seconds(10))
            waits.insert(wait)
        }
        #expect(waits.count > 1)
    }
}

@Suite struct RetryTests {
    private struct Failure: Error {}

    @Test func anAttemptIsRepeatedUntilItSucceeds() async throws {
        var attempts = 0
        var failures = 0
        let result = try await retry(
            Backoff(first: .milliseconds(1), max: .milliseconds(1)), failed: { _ in failures += 1 },
            {
                attempts += 1
                if attempts < 4 { throw Failure() }
                return "done"
            })
        #expect(result == "done")
        #expect(failures == 3)
    }

    @Test func itEndsWithItsTask() async {
        let (waits, waiting) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await retry(
                Backoff(first: .seconds(600), max: .seconds(600)), failed: { _ in waiting.yield() },
                { throw Failure() } as () async throws -> Void)
        }
        await waits.first { true }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
