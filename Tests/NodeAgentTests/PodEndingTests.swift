import KubernetesModel
import Testing

@testable import NodeAgent

/// How pods and their containers are stopped.
@Suite struct PodEndingTests {
    let start = Timestamp(seconds: 1_000_000)
    private typealias Driver = PodStateMachineTests.Driver

    @Test func aPodThatIsGoneIsAskedToEndAndNotDeletedAgain() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.started("a")
        pod.send(.gone)
        #expect(pod.done.contains(.stop(pod.id("a"), grace: 1)))
        pod.exited("a", code: 0)
        #expect(pod.done.last == .finish(deleteFromAPI: false))
    }

    @Test func aPodIsFailedOnceItsContainersHaveEnded() {
        var pod = Driver(["containers": [["name": "a", "image": "x"]]], now: start)
        pod.setUp()
        pod.started("a")
        pod.send(.evicted("Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\". "))
        #expect(pod.done.contains { if case .record(let notice) = $0 { notice.reason == "Evicted" } else { false } })
        #expect(pod.done.contains(.stop(pod.id("a"), grace: 1)))
        #expect(pod.status()["phase"] == "Running")
        #expect(pod.status()["reason"].isNull)
        pod.exited("a", code: 137)
        let status = pod.status()
        #expect(status["phase"] == "Failed")
        #expect(status["reason"] == "Evicted")
        #expect(status["conditions"].items.contains { $0["type"] == "DisruptionTarget" && $0["status"] == "True" })
        #expect(pod.done.last == .conclude)
        #expect(pod.starts.count == 1)
    }

    @Test func anEndingContainerStillTellsItsReadiness() {
        let probe: JSON = ["tcpSocket": ["port": 80]]
        var pod = Driver(
            ["containers": [["name": "a", "image": "x", "readinessProbe": probe, "livenessProbe": probe]]], now: start)
        pod.setUp()
        pod.started("a")
        pod.send(.probe(pod.id("a"), .readiness, .success))
        var deleted = pod.machine.pod
        deleted.metadata["deletionTimestamp"] = "2026-01-01T00:00:10Z"
        deleted.metadata["deletionGracePeriodSeconds"] = 5
        pod.done = []
        pod.send(.specification(deleted))
        #expect(pod.done.contains(.stopProbes(pod.id("a"), [.startup, .liveness])))
        #expect(pod.machine.containers[0].isReady)
        pod.send(.probe(pod.id("a"), .readiness, .failure))
        #expect(!pod.machine.containers[0].isReady)
        #expect(pod.done.count { if case .stop = $0 { true } else { false } } == 1)
    }

    @Test(
        arguments: [("livenessProbe", 7, 7.0), ("livenessProbe", nil, 30), ("startupProbe", 3, 3)]
            as [(String, Int?, Double)])
    func aProbeMayHaveItsOwnGracePeriod(field: String, own: Int?, grace: Double) {
        var probe: JSON = ["tcpSocket": ["port": 80]]
        if let own { probe["terminationGracePeriodSeconds"] = JSON(own) }
        var pod = Driver(["containers": [["name": "a", "image": "x", field: probe]]], now: start)
        pod.setUp()
        pod.started("a")
        let kind: ProbeKind = field == "startupProbe" ? .startup : .liveness
        pod.send(.probe(pod.id("a"), kind, .failure))
        #expect(pod.done.contains(.stop(pod.id("a"), grace: grace)))
        let text = "Container a failed \(kind.rawValue.lowercased()) probe, will be restarted"
        #expect(pod.done.contains(.record(.normal("Killing", text, container: "a"))))
    }

    @Test func containersWaitForThePostStartHooksBeforeThem() {
        let hook: JSON = ["postStart": ["exec": ["command": ["true"]]]]
        var pod = Driver(
            ["containers": [["name": "a", "image": "x", "lifecycle": hook], ["name": "b", "image": "x"]]], now: start)
        pod.setUp()
        #expect(pod.starts == [pod.id("a")])
        pod.send(
            .started(pod.id("a"), StartedContainer(startedAt: pod.now, imageID: "sha256:1", hookPending: true)))
        #expect(pod.starts == [pod.id("a")])
        #expect(pod.status()["containerStatuses"][0]["ready"] == false)
        pod.send(.postStartEnded(pod.id("a"), failed: false))
        #expect(pod.starts == [pod.id("a"), pod.id("b")])
        #expect(pod.status()["containerStatuses"][0]["ready"] == true)
    }

    @Test func aFailedPostStartHookRestartsItsContainer() {
        let hook: JSON = ["postStart": ["exec": ["command": ["false"]]]]
        var pod = Driver(["containers": [["name": "a", "image": "x", "lifecycle": hook]]], now: start)
        pod.setUp()
        pod.send(
            .started(pod.id("a"), StartedContainer(startedAt: pod.now, imageID: "sha256:1", hookPending: true)))
        pod.send(.postStartEnded(pod.id("a"), failed: true))
        #expect(pod.done.contains(.record(.warning("FailedPostStartHook", "PostStartHook failed", container: "a"))))
        #expect(pod.done.contains(.record(.normal("Killing", "FailedPostStartHook", container: "a"))))
        #expect(pod.done.contains(.stop(pod.id("a"), grace: 30)))
        pod.exited("a", code: 143)
        #expect(pod.starts.last == pod.id("a", 1))
    }
}
