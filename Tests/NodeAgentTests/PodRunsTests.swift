import KubernetesModel
import PodRuntime
import Testing

@testable import NodeAgent

/// Which run of a container exec, attach and logs go to.
@Suite struct PodRunsTests {
    private typealias Driver = PodStateMachineTests.Driver

    /// A pod whose container `a` has had a life.
    private static func pod(_ life: (inout Driver) -> Void) -> PodStateMachine {
        var driver = Driver(["containers": [["name": "a", "image": "x"]]], now: Timestamp(seconds: 1_000_000))
        driver.setUp()
        life(&driver)
        return driver.machine
    }

    private static let running = pod { $0.started("a") }
    private static let crashed = pod {
        $0.started("a")
        $0.exited("a")
    }
    private static let again = pod {
        $0.started("a")
        $0.exited("a")
        $0.wait(0)
        $0.started("a", 1)
    }
    private static let unpulled = pod { pod in
        pod.send(.startFailed(pod.id("a"), .image(reason: "ErrImagePull", message: "no such image")))
    }
    private static let unconfigured = pod { pod in
        pod.send(
            .startFailed(
                pod.id("a"), .configuration(reason: "CreateContainerConfigError", message: "secret \"s\" not found")))
    }

    @Test func onlyWhatRunsTakesPrograms() throws {
        #expect(try Self.running.runningContainer("a").restart == 0)
        #expect(try Self.again.runningContainer("a").restart == 1)
        for machine in [Self.crashed, Self.unpulled] {
            let error = #expect(throws: Status.self) { try machine.runningContainer("a") }
            #expect(error?.message == "container not found (\"a\")")
        }
        #expect(throws: Status.self) { try Self.running.runningContainer("b") }
    }

    @Test(arguments: [
        (running, false, 0, true), (crashed, false, 0, false), (again, false, 1, true), (again, true, 0, false),
    ]) func aLogIsOfTheRunThatIsAskedFor(machine: PodStateMachine, previous: Bool, run: Int, isRunning: Bool) throws {
        let found = try machine.loggedRun("a", previous: previous)
        #expect(found.id.restart == run)
        #expect(found.isRunning == isRunning)
    }

    @Test(arguments: [
        (running, "b", false, "container b is not valid for pod web"),
        (running, "a", true, "previous terminated container \"a\" in pod \"web\" not found"),
        (unpulled, "a", false, "container \"a\" in pod \"web\" is waiting to start: trying and failing to pull image"),
        (unconfigured, "a", false, "container \"a\" in pod \"web\" is waiting to start: secret \"s\" not found"),
    ]) func withoutALogTheReasonIsGiven(machine: PodStateMachine, name: String, previous: Bool, message: String) {
        let error = #expect(throws: Status.self) { try machine.loggedRun(name, previous: previous) }
        #expect(error?.code == 400)
        #expect(error?.message == message)
    }

    @Test func aRunIsOverOnceItHasEnded() {
        let first = ContainerID(podUID: Self.running.uid, name: "a", restart: 0)
        #expect(!Self.running.isOver(first))
        #expect(Self.crashed.isOver(first))
        #expect(Self.again.isOver(first))
        #expect(!Self.again.isOver(ContainerID(podUID: first.podUID, name: "a", restart: 1)))
    }
}
