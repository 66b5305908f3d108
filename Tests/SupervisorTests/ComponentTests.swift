import Foundation
import Logging
import Testing

@testable import Supervisor

@Suite struct ComponentTests {
    /// A component that never gives a sign of life.
    private static func silent(
        watchdog: Duration, notifies: Bool = false, _ script: String = "exec sleep 1000",
        _ body: (Component, ClusterPaths) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "martlet-component-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let paths = ClusterPaths(profile: "test", stateParent: folder + "/s", runtimeParent: folder + "/r")
        try Files.makeFolder(paths.logs)
        try Files.makeFolder(paths.runtime)
        var specification = ComponentSpecification(name: "silent", arguments: ["/bin/sh", "-c", script])
        specification.notifies = notifies
        specification.watchdog = watchdog
        let component = Component(specification, paths: paths, logger: Logger(label: "test"))
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
        try await Self.silent(watchdog: .milliseconds(50)) { component, _ in
            let first = try #require(await component.pid)
            while await component.report().restarts == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(await component.pid != first)
            #expect(kill(first, 0) == -1)
        }
    }

    @Test(.timeLimit(.minutes(1))) func oneThatHangsBeforeItIsReadyIsGivenUp() async throws {
        try await Self.silent(watchdog: .milliseconds(50), notifies: true) { component, _ in
            await #expect(throws: SupervisorError.self) { try await component.waitUntilReady() }
            #expect(await component.report().state == "Failed")
        }
    }

    @Test(.timeLimit(.minutes(1))) func oneThatHangsWhenItIsStartedAgainIsStartedOnceMore() async throws {
        try await Self.silent(watchdog: .milliseconds(50), notifies: true) { component, _ in
            let first = try #require(await component.pid)
            #expect(await component.receive(pid: first, ["READY": "1"]))
            while await component.report().restarts < 2 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test(.timeLimit(.minutes(1))) func whoWaitsForOneThatIsStoppedIsTold() async throws {
        try await Self.silent(watchdog: .seconds(60), notifies: true) { component, _ in
            let waiting = Task { try await component.waitUntilReady() }
            await component.stop()
            await #expect(throws: SupervisorError.self) { try await waiting.value }
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
            while Files.tail(paths.log("silent"), lines: 1).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            #expect(Files.tail(paths.log("silent"), lines: 1) == ["60000000"])
        }
    }
}
