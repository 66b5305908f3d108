import KubernetesModel
import Testing

@testable import NodeAgent

@Suite struct ProbeScheduleTests {
    @Test func theFirstProbesComeQuicklyAndCountForNothing() throws {
        var schedule = ProbeSchedule(
            kind: .readiness, timing: ProbeTiming(["periodSeconds": 1, "failureThreshold": 1]))
        #expect(schedule.firstDelay(afterRunning: 0) == 0.002)
        var elapsed = schedule.firstDelay(afterRunning: 0)
        var count = 0
        while elapsed < 1 {
            let step = schedule.record(success: false, elapsed: elapsed)
            let delay = try #require(step.delay)
            #expect(delay >= 0.002 && delay <= max(0.002, elapsed * 0.31))
            #expect(step.verdict == nil && !step.isReported)
            elapsed += delay
            count += 1
        }
        #expect(count < 40)
        #expect(
            schedule.record(success: false, elapsed: elapsed) == .init(delay: 1, verdict: .failure, isReported: true))
        #expect(
            schedule.record(success: true, elapsed: elapsed) == .init(delay: 1, verdict: .success, isReported: false))
    }

    @Test func timesOfAnySizeAreKeptInBounds() {
        let timing = ProbeTiming(["periodSeconds": 0, "timeoutSeconds": JSON(Int.max), "initialDelaySeconds": -1])
        #expect(timing.period == 1 && timing.timeout == Double(Int32.max) && timing.initialDelay == 0)
    }

    @Test func slowProbesShortenTheFirstStretch() {
        var schedule = ProbeSchedule(
            kind: .readiness, timing: ProbeTiming(["periodSeconds": 2, "failureThreshold": 1]), isExec: true)
        #expect(schedule.record(success: false, elapsed: 1.002).isReported == false)
        #expect(schedule.record(success: false, elapsed: 3).verdict == .failure)
    }

    @Test func anInitialDelayIsKept() {
        let timing = ProbeTiming(["initialDelaySeconds": 5, "periodSeconds": 2, "failureThreshold": 2])
        var schedule = ProbeSchedule(kind: .readiness, timing: timing)
        #expect(schedule.firstDelay(afterRunning: 0) == 5)
        #expect(schedule.firstDelay(afterRunning: 3) == 2, "it counts from the container's start")
        #expect(schedule.firstDelay(afterRunning: 9) == 0)
        #expect(schedule.record(success: false, elapsed: 10) == .init(delay: 2, verdict: nil, isReported: true))
        #expect(schedule.record(success: false, elapsed: 10) == .init(delay: 2, verdict: .failure, isReported: true))
    }

    @Test func aStartupProbeEndsWithItsSuccess() {
        var schedule = ProbeSchedule(kind: .startup, timing: ProbeTiming([:]))
        #expect(schedule.record(success: true, elapsed: 10) == .init(delay: nil, verdict: .success, isReported: false))
    }

    /// What a probe is told of results in turn, `+` and `-`; `S` and `F` stand for the verdicts.
    @Test(
        arguments: [
            (["failureThreshold": 3], "----", "..F."), (["failureThreshold": 3], "--+---", "..S..F"),
            (["failureThreshold": 1, "successThreshold": 3], "++-+++", "..F..S"),
            (["failureThreshold": 2], "+-+--+", "S...FS"), ([:], "+---+", "S..FS"),
        ] as [(JSON, String, String)])
    func thresholdsCountResultsInARow(fields: JSON, results: String, verdicts: String) {
        var fields = fields
        fields["initialDelaySeconds"] = 1
        var schedule = ProbeSchedule(kind: .readiness, timing: ProbeTiming(fields))
        let told = results.map { result in
            switch schedule.record(success: result == "+", elapsed: 10).verdict {
            case .success: "S"
            case .failure: "F"
            case nil: "."
            }
        }
        #expect(told.joined() == verdicts)
    }

    @Test func fieldsHaveTheirDefaults() {
        let timing = ProbeTiming([:])
        #expect(timing.initialDelay == 0 && timing.period == 10 && timing.timeout == 1)
        #expect(timing.successThreshold == 1 && timing.failureThreshold == 3)
    }

    @Test func aLivenessProbeThatIsNotDelayedCountsFromItsFirst() {
        var schedule = ProbeSchedule(kind: .liveness, timing: ProbeTiming(["failureThreshold": 1, "periodSeconds": 7]))
        #expect(schedule.firstDelay(afterRunning: 0) == 0)
        #expect(schedule.record(success: false, elapsed: 10) == .init(delay: 7, verdict: .failure, isReported: true))
    }
}
