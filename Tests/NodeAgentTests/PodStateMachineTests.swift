import KubernetesModel
import PodRuntime
import Testing

@testable import NodeAgent

@Suite struct PodStateMachineTests {
    let start = Timestamp(seconds: 1_000_000)

    /// A pod driven without a runtime: every start succeeds at once unless told otherwise.
    struct Driver {
        var machine: PodStateMachine
        var now: Timestamp
        var done: [PodAction] = []

        init(_ spec: JSON, now: Timestamp) {
            machine = PodStateMachine(pod: makePod(spec: spec), now: now)
            self.now = now
            take(machine.begin(now: now))
        }

        mutating func take(_ actions: [PodAction]) { done += actions }
        mutating func send(_ event: PodEvent) { take(machine.handle(event, now: now)) }
        mutating func setUp() {
            send(.volumesReady())
            send(.sandboxReady(address: "10.244.1.2"))
        }
        mutating func wait(_ seconds: Double) {
            now = now.advanced(by: seconds)
            send(.timer)
        }
        func id(_ name: String, _ run: Int = 0) -> ContainerID {
            ContainerID(podUID: machine.uid, name: name, restart: run)
        }
        mutating func started(_ name: String, _ run: Int = 0) {
            send(.started(id(name, run), StartedContainer(startedAt: now, imageID: "sha256:1")))
        }
        mutating func exited(_ name: String, _ run: Int = 0, code: Int32 = 1) {
            send(
                .exited(
                    id(name, run),
                    Termination(
                        exitCode: code, reason: code == 0 ? "Completed" : "Error", startedAt: now, finishedAt: now,
                        containerID: id(name, run).apiID)))
        }
        mutating func status() -> JSON { machine.status(hostAddress: "172.30.0.2", now: now) }
        mutating func waitingReason(_ index: Int = 0) -> String? {
            status()["containerStatuses"][index]["state"]["waiting"]["reason"].string
        }
        var starts: [ContainerID] { done.compactMap { if case .start(let id) = $0 { id } else { nil } } }
    }

    @Test func aPodBecomesReadyWhenItsContainersRun() {
        var pod = Driver(["containers": [["name": "a", "image": "x"], ["name": "b", "image": "x"]]], now: start)
        #expect(pod.done.contains(.prepareVolumes) && pod.done.contains(.startSandbox))
        #expect(pod.starts.isEmpty)
        pod.setUp()
        #expect(pod.starts == [pod.id("a"), pod.id("b")], "both start without waiting for each other")
        pod.started("a")
        #expect(pod.status()["phase"] == "Pending", "as long as one has never run")
        #expect(pod.machine.conditions["Ready"]?.status == false)
        pod.started("b")
        let status = pod.status()
        #expect(status["phase"] == "Running")
        #expect(status["podIP"] == "10.244.1.2")
        #expect(pod.machine.conditions["Ready"]?.status == true)
    }

    @Test func initContainersRunInOrderBeforeTheOthers() {
        var pod = Driver(
            [
                "initContainers": [
                    ["name": "one", "image": "x"], ["name": "proxy", "image": "x", "restartPolicy": "Always"],
                    ["name": "two", "image": "x"],
                ],
                "containers": [["name": "main", "image": "x"]],
            ], now: start)
        pod.setUp()
        #expect(pod.starts == [pod.id("one")])
        #expect(pod.waitingReason() == "PodInitializing")
        pod.started("one")
        pod.exited("one", code: 0)
        #expect(pod.starts.last == pod.id("proxy"))
        pod.started("proxy")
        #expect(pod.starts.last == pod.id("two"), "a sidecar is waited for only until it has started")
        pod.started("two")
        pod.exited("two", code: 0)
        #expect(pod.starts.last == pod.id("main"))
    }

    @Test(
        arguments: [
            ("Always", 0, "Running", true), ("Always", 1, "Running", true), ("OnFailure", 0, "Succeeded", false),
            ("OnFailure", 1, "Running", true), ("Never", 0, "Succeeded", false), ("Never", 1, "Failed", false),
        ] as [(String, Int32, String, Bool)])
    func restartPolicyDecides(policy: String, code: Int32, phase: String, again: Bool) {
        var pod = Driver(["restartPolicy": .string(policy), "containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.started("a")
        pod.exited("a", code: code)
        #expect(pod.starts.contains(pod.id("a", 1)) == again)
        #expect(pod.done.contains(.conclude) == !again)
        #expect(pod.status()["phase"].string == phase)
    }

    @Test func crashesAreBackedOff() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.started("a")
        pod.exited("a")
        #expect(pod.starts.last == pod.id("a", 1), "the first restart comes at once")
        pod.started("a", 1)
        for (run, delay) in [(1, 10.0), (2, 20), (3, 40)] {
            pod.exited("a", run)
            let status = pod.status()["containerStatuses"][0]
            #expect(status["state"]["waiting"]["reason"] == "CrashLoopBackOff")
            #expect(
                status["state"]["waiting"]["message"].string
                    == "back-off \(Int(delay))s restarting failed container=a pod=web_default(uid-web)")
            #expect(status["lastState"]["terminated"]["exitCode"] == 1)
            #expect(status["restartCount"].int == run)
            pod.wait(delay - 1)
            #expect(pod.starts.last == pod.id("a", run))
            pod.wait(1)
            #expect(pod.starts.last == pod.id("a", run + 1))
            pod.started("a", run + 1)
        }
    }

    @Test func aMissingImageIsTriedAgainMoreAndMoreRarely() {
        var pod = Driver(["containers": [["name": "a", "image": "nope"]]], now: start)
        pod.setUp()
        pod.send(.startFailed(pod.id("a"), .image(reason: "ErrImagePull", message: "not found")))
        #expect(pod.waitingReason() == "ErrImagePull")
        pod.wait(2)
        #expect(pod.waitingReason() == "ImagePullBackOff")
        #expect(pod.starts.count == 1)
        pod.wait(8)
        #expect(pod.starts == [pod.id("a"), pod.id("a")], "an attempt that ran nothing does not count as a run")
    }

    @Test func aProgramThatCannotBeExecutedCountsAsARun() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.send(.startFailed(pod.id("a"), .program("exec: \"nope\": executable file not found in $PATH")))
        #expect(pod.starts.last == pod.id("a", 1))
        pod.send(.startFailed(pod.id("a", 1), .program("exec: \"nope\": executable file not found in $PATH")))
        let status = pod.status()["containerStatuses"][0]
        #expect(status["state"]["waiting"]["reason"] == "CrashLoopBackOff")
        #expect(status["lastState"]["terminated"]["reason"] == "StartError")
        #expect(status["lastState"]["terminated"]["exitCode"] == 128)
    }

    @Test func probesHoldReadinessAndRestart() {
        let probe: JSON = ["tcpSocket": ["port": 80]]
        var pod = Driver(
            [
                "containers": [
                    [
                        "name": "a", "image": "x", "startupProbe": probe, "readinessProbe": probe,
                        "livenessProbe": probe,
                    ]
                ]
            ], now: start)
        pod.setUp()
        pod.started("a")
        #expect(pod.done.contains(.startProbes(pod.id("a"), [.startup])))
        #expect(pod.status()["containerStatuses"][0]["started"] == false)
        pod.send(.probe(pod.id("a"), .startup, .success))
        #expect(pod.done.contains(.startProbes(pod.id("a"), [.readiness, .liveness])))
        #expect(pod.machine.containers[0].isReady == false)
        pod.send(.probe(pod.id("a"), .readiness, .success))
        #expect(pod.machine.containers[0].isReady)
        pod.send(.probe(pod.id("a"), .readiness, .failure))
        #expect(!pod.machine.containers[0].isReady)
        pod.send(.probe(pod.id("a"), .liveness, .failure))
        #expect(pod.done.contains(.stop(pod.id("a"), grace: 30)))
        pod.exited("a", code: 137)
        #expect(pod.starts.last == pod.id("a", 1))
    }

    @Test func aDeadSandboxIsReplacedAndPreparedAnew() {
        var pod = Driver(
            ["initContainers": [["name": "i", "image": "x"]], "containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.started("i")
        pod.exited("i", code: 0)
        pod.started("a")
        pod.exited("a", code: 137)
        #expect(pod.starts.last == pod.id("a", 1))
        pod.done = []
        pod.send(.sandboxLost(pod.id("a", 1)))
        #expect(pod.done.contains(.startSandbox))
        #expect(
            pod.done.contains { if case .record(let notice) = $0 { notice.reason == "SandboxChanged" } else { false } })
        #expect(pod.starts.isEmpty)
        pod.send(.sandboxReady(address: "10.244.1.2"))
        #expect(pod.starts == [pod.id("i", 1)])
        pod.started("i", 1)
        pod.exited("i", 1, code: 0)
        #expect(pod.starts.last == pod.id("a", 1))
        pod.started("a", 1)
        #expect(pod.status()["phase"] == "Running")
        #expect(pod.status()["containerStatuses"][0]["restartCount"] == 1)
    }

    @Test func deletionStopsSidecarsLastAndRemovesThePod() {
        var pod = Driver(
            [
                "initContainers": [["name": "proxy", "image": "x", "restartPolicy": "Always"]],
                "containers": [["name": "main", "image": "x"]],
            ], now: start)
        pod.setUp()
        pod.started("proxy")
        pod.started("main")
        var deleted = pod.machine.pod
        deleted.metadata["deletionTimestamp"] = "2026-01-01T00:00:10Z"
        deleted.metadata["deletionGracePeriodSeconds"] = 5
        pod.done = []
        pod.send(.specification(deleted))
        #expect(pod.done.contains(.stop(pod.id("main"), grace: 5)))
        #expect(!pod.done.contains(.stop(pod.id("proxy"), grace: 5)))
        pod.exited("main", code: 0)
        #expect(pod.done.contains(.stop(pod.id("proxy"), grace: 5)))
        pod.exited("proxy", code: 0)
        #expect(pod.done.last == .finish(deleteFromAPI: true))
        #expect(pod.starts.isEmpty, "nothing starts again")
        pod.send(.finished)
        #expect(pod.machine.stage == .finished)
    }

    @Test func anActiveDeadlineFailsThePod() {
        var pod = Driver(["activeDeadlineSeconds": 5, "containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.started("a")
        #expect(pod.done.contains(.wake(at: start.advanced(by: 5))))
        pod.wait(5)
        #expect(pod.done.contains(.stop(pod.id("a"), grace: 30)))
        pod.exited("a", code: 143)
        #expect(pod.done.last == .conclude)
        #expect(pod.status()["reason"] == "DeadlineExceeded")
        #expect(pod.status()["phase"] == "Failed")
    }

    @Test func aNewAgentTakesOverWhatRuns() {
        var before = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        before.setUp()
        before.started("a")
        before.exited("a")
        before.started("a", 1)
        var pod = before.machine.pod
        pod.status = before.status()
        var machine = PodStateMachine(pod: pod, now: start)
        let state = ContainerState(id: before.id("a", 1), pid: 5, startedAt: start, phase: .running)
        machine.adopt(
            Sandbox(
                podUID: pod.uid, namespace: "default", name: "web", address: "10.244.1.2", pid: 4, containers: [state]),
            now: start)
        let actions = machine.begin(now: start)
        #expect(!actions.contains { if case .start = $0 { true } else { false } })
        let after = machine.status(hostAddress: "172.30.0.2", now: start)
        #expect(after == pod.status)
        #expect(after["containerStatuses"][0]["restartCount"] == 1)
    }

    @Test func aPodWhoseSandboxIsGoneStartsAnew() {
        var before = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        before.setUp()
        before.started("a")
        var pod = before.machine.pod
        pod.status = before.status()
        var machine = PodStateMachine(pod: pod, now: start)
        machine.adopt(nil, now: start)
        _ = machine.begin(now: start)
        _ = machine.handle(.volumesReady(), now: start)
        let actions = machine.handle(.sandboxReady(address: "10.244.1.3"), now: start)
        #expect(actions.contains(.start(before.id("a", 1))))
    }

    /// What a driven pod asked for since the last look.
    private func asked(_ pod: inout Driver) -> [PodAction] {
        defer { pod.done = [] }
        return pod.done.filter { if case .wake = $0 { false } else { true } }
    }

    @Test func volumesAreUpdatedOneAtATimeAndAgainAfterAChangeInBetween() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.started("a")
        _ = asked(&pod)
        pod.send(.referencesChanged)
        #expect(asked(&pod) == [.prepareVolumes])
        pod.send(.referencesChanged)
        pod.send(.referencesChanged)
        #expect(asked(&pod) == [], "one is under way")
        pod.send(.volumesReady())
        #expect(asked(&pod) == [.prepareVolumes], "which may have looked too early")
        pod.send(.volumesReady())
        #expect(asked(&pod) == [])
    }

    @Test func whatChangesWhileVolumesAreMadeIsSeen() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        _ = asked(&pod)
        pod.send(.referencesChanged)
        #expect(asked(&pod) == [])
        pod.send(.volumesReady())
        #expect(asked(&pod) == [.prepareVolumes])
    }

    @Test func tokensAreRenewedAlsoAfterAFailure() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        pod.send(.volumesReady(renewal: start.advanced(by: 100)))
        pod.send(.sandboxReady(address: "10.244.1.2"))
        pod.started("a")
        #expect(pod.done.contains(.wake(at: start.advanced(by: 100))))
        _ = asked(&pod)
        pod.wait(99)
        #expect(asked(&pod) == [])
        pod.wait(1)
        #expect(asked(&pod) == [.prepareVolumes])
        for delay in [0.5, 1, 2] {
            pod.send(.volumesFailed("no answer"))
            #expect(asked(&pod) == [.record(.warning("FailedMount", "no answer"))])
            pod.wait(delay - 0.1)
            #expect(asked(&pod) == [])
            pod.wait(0.1)
            #expect(asked(&pod) == [.prepareVolumes])
        }
        pod.send(.volumesReady(renewal: pod.now))
        #expect(asked(&pod) == [], "not without a pause")
        pod.wait(1)
        #expect(asked(&pod) == [.prepareVolumes])
    }

    @Test func aPodEndsAfterTheUpdateOfItsVolumes() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.send(.referencesChanged)
        pod.send(.gone)
        pod.started("a")
        pod.exited("a")
        #expect(!pod.done.contains(.finish(deleteFromAPI: false)))
        _ = asked(&pod)
        pod.send(.volumesFailed("too late"))
        #expect(asked(&pod) == [.finish(deleteFromAPI: false)])
    }

    @Test func aGracePeriodMayBeAsLongAsItLikes() {
        let seconds = 10_000_000_000
        var pod = Driver(
            [
                "restartPolicy": "Never", "terminationGracePeriodSeconds": JSON(seconds),
                "activeDeadlineSeconds": JSON(Int.max), "containers": [["name": "a", "image": "x"]],
            ], now: start)
        pod.setUp()
        pod.started("a")
        pod.exited("a", code: 0)
        #expect(pod.done.contains(.conclude))
    }

    @Test func aDebuggerStartsWithItsTarget() {
        var pod = Driver(
            [
                "containers": [["name": "a", "image": "x"], ["name": "b", "image": "x"]],
                "ephemeralContainers": [["name": "d", "image": "x", "targetContainerName": "a"]],
            ], now: start)
        pod.setUp()
        #expect(pod.starts.contains(pod.id("d")))
        pod.send(
            .startFailed(
                pod.id("d"),
                .configuration(
                    reason: "CreateContainerConfigError", message: "unable to find target container a")))
        pod.done = []
        pod.started("b")
        #expect(pod.starts == [])
        pod.started("a")
        #expect(pod.starts == [pod.id("d")])
    }
}
