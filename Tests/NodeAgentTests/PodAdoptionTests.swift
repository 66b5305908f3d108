import KubernetesModel
import PodRuntime
import Testing

@testable import NodeAgent

/// What an agent makes of pods that an earlier one has begun.
@Suite struct PodAdoptionTests {
    let start = Timestamp(seconds: 1_000_000)
    private typealias Driver = PodStateMachineTests.Driver

    /// What a new agent finds of a pod, and does at once.
    private func adopt(
        _ before: inout Driver, alive: Bool = true, containers: [ContainerState], past: [ContainerState] = [],
        after seconds: Double = 0
    ) -> Driver {
        var pod = before.machine.pod
        pod.status = before.status()
        let now = before.now.advanced(by: seconds)
        var machine = PodStateMachine(pod: pod, now: now)
        machine.adopt(
            Sandbox(
                podUID: pod.uid, namespace: "default", name: "web", address: "10.244.1.2", pid: alive ? 4 : 0,
                containers: containers, past: past), now: now)
        var later = before
        later.machine = machine
        later.now = now
        later.done = []
        later.take(later.machine.begin(now: now))
        return later
    }

    private func end(_ id: ContainerID, code: Int32 = 1, from: Timestamp, to: Timestamp) -> ContainerState {
        ContainerState(
            id: id, pid: 0, startedAt: from, phase: .exited(code: code, signal: 0, outOfMemory: false, at: to))
    }

    @Test func backOffGoesOnWhereItWas() {
        var before = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        before.setUp()
        var past: [ContainerState] = []
        for run in 0..<4 {
            before.started("a", run)
            before.exited("a", run)
            past.append(end(before.id("a", run), from: before.now, to: before.now))
            if run < 3 { before.wait([0, 10, 20][run]) }
        }
        #expect(before.status()["containerStatuses"][0]["state"]["waiting"]["message"].string?.contains("40s") == true)
        var later = adopt(&before, containers: [past[3]], past: past, after: 5)
        later.setUp()
        let status = later.status()["containerStatuses"][0]
        #expect(status["state"]["waiting"]["reason"] == "CrashLoopBackOff")
        #expect(
            status["state"]["waiting"]["message"]
                == "back-off 40s restarting failed container=a pod=web_default(uid-web)")
        #expect(status["restartCount"] == 3)
        #expect(later.starts.isEmpty)
        later.wait(34)
        #expect(later.starts.isEmpty)
        later.wait(1)
        #expect(later.starts == [later.id("a", 4)], "40 s after its end, not after the new agent's start")
    }

    @Test func aLongRunEndsABackOffAlsoOnTheDisk() {
        var before = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        before.setUp()
        before.started("a")
        let past = [
            end(before.id("a", 0), from: start, to: start), end(before.id("a", 1), from: start, to: start),
            end(before.id("a", 2), from: start, to: start.advanced(by: 700)),
            end(before.id("a", 3), from: start.advanced(by: 700), to: start.advanced(by: 700)),
        ]
        var later = adopt(&before, containers: [past[3]], past: past, after: 700)
        later.setUp()
        #expect(later.status()["containerStatuses"][0]["state"]["waiting"]["message"].string?.contains("10s") == true)
    }

    @Test func programsThatNeverRanAreBackedOffToo() {
        var before = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        before.setUp()
        for run in 0..<3 {
            before.send(.startFailed(before.id("a", run), .program("no such file")))
            if run < 2 { before.wait([0, 10][run]) }
        }
        #expect(before.status()["containerStatuses"][0]["restartCount"] == 2)
        var later = adopt(&before, containers: [], after: 1)
        later.setUp()
        #expect(later.status()["containerStatuses"][0]["state"]["waiting"]["message"].string?.contains("20s") == true)
        #expect(later.starts.isEmpty)
    }

    private static let initialized: JSON = [
        "initContainers": [["name": "i", "image": "x"]], "containers": [["name": "a", "image": "x"]],
    ]

    @Test(arguments: [("Always", true), ("OnFailure", true), ("Never", false)])
    func aNewSandboxIsPreparedAnew(policy: String, again: Bool) {
        var spec = Self.initialized
        spec["restartPolicy"] = .string(policy)
        var before = Driver(spec, now: start)
        before.setUp()
        before.started("i")
        before.exited("i", code: 0)
        before.started("a")
        let containers = [
            end(before.id("i"), code: 0, from: start, to: start),
            end(before.id("a"), code: 137, from: start, to: start),
        ]
        var later = adopt(&before, alive: false, containers: containers)
        let isTold = later.done.contains {
            if case .record(let notice) = $0 { notice.reason == "SandboxChanged" } else { false }
        }
        #expect(isTold == again)
        later.setUp()
        #expect(later.starts == (again ? [later.id("i", 1)] : []))
        if !again { #expect(later.status()["phase"] == "Failed") }
    }

    @Test func aLivingSandboxIsNotPreparedAgain() {
        var before = Driver(Self.initialized, now: start)
        before.setUp()
        before.started("i")
        before.exited("i", code: 0)
        before.started("a")
        let containers = [
            end(before.id("i"), code: 0, from: start, to: start), end(before.id("a"), from: start, to: start),
        ]
        var later = adopt(&before, containers: containers, past: containers)
        later.setUp()
        #expect(later.starts == [later.id("a", 1)])
    }
}
