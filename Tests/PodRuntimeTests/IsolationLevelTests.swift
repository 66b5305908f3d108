import Glibc
import Logging
import Testing

@testable import PodRuntime

@Suite struct IsolationLevelTests {
    private static let whole = HostFeatures(
        capabilities: .all, namespaces: ["mnt", "net", "pid", "uts", "ipc", "user"], hasInit: true)

    @Test func aWholeMachineOffersTheSandbox() throws {
        #expect(try IsolationLevels.choose(Self.whole).name == "sandbox")
    }

    @Test(arguments: [
        (HostFeatures(capabilities: .standard, namespaces: whole.namespaces, hasInit: true), "CAP_SYS_ADMIN, CAP_NET"),
        (HostFeatures(capabilities: .all, namespaces: ["mnt", "net", "uts", "ipc"], hasInit: true), "type pid"),
        (HostFeatures(capabilities: .all, namespaces: whole.namespaces, hasInit: false), "martlet-init"),
    ]) func whatALevelLacksIsNamed(host: HostFeatures, words: String) {
        let error = #expect(throws: NoIsolationLevel.self) { try IsolationLevels.choose(host) }
        #expect(error?.refusals.map(\.level) == ["sandbox"])
        #expect(error?.description.contains(words) == true)
        #expect(error?.refusals.first?.obstacles.allSatisfy { !$0.remedy.isEmpty } == true)
    }

    @Test func theFirstAvailableLevelIsChosen() throws {
        let nothing = HostFeatures(capabilities: Capabilities(mask: 0), namespaces: [], hasInit: false)
        #expect(try IsolationLevels.choose(nothing, from: [SandboxLevel(), Undemanding()]).name == "undemanding")
        #expect(try IsolationLevels.choose(Self.whole, from: [SandboxLevel(), Undemanding()]).name == "sandbox")
    }

    @Test(.enabled(if: getuid() == 0, "needs root")) func rootHasItsCapabilities() {
        let host = HostFeatures.probe(initPath: "/bin/sh")
        #expect(host.capabilities.contains("SYS_ADMIN"))
        #expect(host.namespaces.isSuperset(of: ["mnt", "net", "pid"]))
        #expect(host.hasInit)
        #expect(!HostFeatures.probe(initPath: "/nowhere").hasInit)
    }

    @Test func capabilitiesAreKnownByName() {
        #expect(Capabilities(adding: ["SYS_TIME"], dropping: ["ALL"]).contains("CAP_SYS_TIME"))
        #expect(!Capabilities.standard.contains("SYS_ADMIN"))
        #expect(!Capabilities.all.contains("NO_SUCH"))
    }
}

/// A level that any machine offers.
private struct Undemanding: IsolationLevel {
    var name: String { "undemanding" }
    var summary: String { "" }
    func obstacles(_ host: HostFeatures) -> [IsolationObstacle] { [] }
    func makeRuntime(
        _ configuration: RuntimeConfiguration, resources: any ResourceController, logger: Logger
    ) -> any Runtime {
        SandboxRuntime(configuration: configuration, resources: resources, logger: logger)
    }
}

@Suite struct ResourceDriverTests {
    private struct Absent: ResourceDriver {
        var name: String { "absent" }
        func controller(nodeDirectory: String) -> (any ResourceController)? { nil }
    }

    @Test func theFirstDriverThatTheMachineOffersIsChosen() {
        let chosen = ResourceDrivers.choose(nodeDirectory: "/nowhere", from: [Absent(), NoResourceDriver(), Absent()])
        #expect(chosen.driver.name == "none")
        #expect(chosen.driver.consequence != nil)
        #expect(ResourceDrivers.choose(nodeDirectory: "/nowhere", from: [Absent()]).driver.name == "none")
    }
}
