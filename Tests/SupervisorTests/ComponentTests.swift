import ClusterLayout
import Foundation
import Linux
import Logging
import TestSupport
import Testing

@testable import Supervisor

@Suite struct ComponentTests {
    /// A component that never gives a sign of life.
    ///
    /// - Parameter adopted: an earlier supervisor has left one that was ready.
    private static func silent(
        watchdog: Duration, notifies: Bool = false, adopted: Bool = false, _ script: String = "exec sleep 1000",
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        _ body: (Component, ClusterPaths) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "martlet-component-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let paths = ClusterPaths(profile: "test", stateParent: directory + "/s", runtimeParent: directory + "/r")
        try Files.makeDirectory(paths.logs)
        try Files.makeDirectory(paths.runtime)
        if adopted {
            let pid = try Spawn(["/bin/sleep", "1000"], environment: []).start()
            let process = try #require(ProcessIdentity(pid: pid))
            try Files.write(Array(process.description.utf8), to: paths.pidFile("silent"))
        }
        var specification = ComponentSpecification(name: "silent", arguments: ["/bin/sh", "-c", script])
        specification.notifies = notifies
        specification.watchdog = watchdog
        let component = Component(specification, paths: paths, logger: Logger(label: "test"), pause: pause)
        try await component.start()
        do {
            try await body(component, paths)
        } catch {
            await component.stop()
            throw error
        }
        await component.stop()
    }

    @Test(.timeLimit(.minutes(1))) func oneThatGivesNoSignOfLifeIsStartedAgain() async throws {
        // On a busy machine it may be killed before it says its number, and started once more.
        try await Self.silent(watchdog: .milliseconds(50), "echo $$; exec sleep 1000") { component, paths in
            let pids = try await eventually("it has been started twice") {
                let pids = Files.tail(paths.log("silent"), lines: 1000)
                return pids.count < 2 ? nil : pids
            }
            #expect(pids[0] != pids[1])
            #expect(try kill(#require(pid_t(pids[0])), 0) == -1)
            #expect(await component.report().restarts > 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func oneThatHangsBeforeItIsReadyIsGivenUp() async throws {
        try await Self.silent(watchdog: .milliseconds(50), notifies: true) { component, _ in
            await #expect(throws: SupervisorError.self) { try await component.waitUntilReady() }
            #expect(await component.report().state == "Failed")
        }
    }

    @Test(.timeLimit(.minutes(1))) func oneThatHangsWhenItIsStartedAgainIsStartedOnceMore() async throws {
        try await Self.silent(watchdog: .milliseconds(50), notifies: true, adopted: true) { component, _ in
            try await eventually("it is started once more") { await component.report().restarts >= 2 }
        }
    }

    @Test(.timeLimit(.minutes(1))) func whoWaitsForOneThatIsStoppedIsTold() async throws {
        try await Self.silent(watchdog: .seconds(60), notifies: true) { component, _ in
            let waiting = Task { try await component.waitUntilReady() }
            await component.stop()
            await #expect(throws: SupervisorError.self) { try await waiting.value }
        }
    }

    /// `stop` comes after the pause is over, but before the component goes on.
    @Test(.timeLimit(.minutes(1))) func oneThatIsStoppedBeforeItsNextStartStaysDown() async throws {
        let (pauses, paused) = AsyncStream.makeStream(of: Void.self)
        let (releases, release) = AsyncStream.makeStream(of: Void.self)
        let stubborn: @Sendable (Duration) async throws -> Void = { _ in
            paused.yield()
            // Not cancelled with the task, as a pause that is over is not.
            await Task.detached { for await _ in releases { return } }.value
        }
        try await Self.silent(watchdog: .seconds(60), "exit 1", pause: stubborn) { component, paths in
            for await _ in pauses { break }
            let stop = Task { await component.stop() }
            try await eventually("it waits to be started") { await component.report().state == "BackOff" }
            let restarts = await component.report().restarts
            try await eventually("it is being stopped") { await component.isStopping }
            release.finish()
            await stop.value
            #expect(await component.report().restarts == restarts)
        }
    }

    /// A zombie would stay as long as the supervisor.
    @Test(.timeLimit(.minutes(1))) func oneThatIsStoppedLeavesNoZombie() async throws {
        try await Self.silent(watchdog: .seconds(60)) { component, _ in
            let pid = try #require(await component.pid)
            await component.stop()
            #expect(access("/proc/\(pid)", F_OK) != 0)
        }
    }

    @Test func aSignOfAnotherProcessDoesNotCount() async throws {
        try await Self.silent(watchdog: .seconds(60)) { component, _ in
            let pid = try #require(await component.pid)
            #expect(await component.receive(pid: pid, ["WATCHDOG": "1", "STATUS": "at work"]))
            #expect(await component.report().status == "at work")
            #expect(await !component.receive(pid: pid + 1, ["WATCHDOG": "1", "STATUS": "another"]))
            #expect(await component.report().status == "at work")
        }
    }

    @Test(.timeLimit(.minutes(1))) func itIsToldHowOftenToGiveASign() async throws {
        let script = "echo \"$WATCHDOG_USEC\"; exec sleep 1000"
        try await Self.silent(watchdog: .seconds(60), script) { _, paths in
            try await eventually("it writes its interval") { !Files.tail(paths.log("silent"), lines: 1).isEmpty }
            #expect(Files.tail(paths.log("silent"), lines: 1) == ["60000000"])
        }
    }
}
