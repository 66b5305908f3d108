import KubernetesModel
import NodeStreams
import PodRuntime
import Testing

@testable import NodeAgent

/// What `martlet ps` asks a node's agent for.
@Suite struct ContainerListTests {
    @Test func listsWhatRuns() async throws {
        let runtime = FakeRuntime()
        for name in ["web", "db"] {
            _ = try await runtime.startSandbox(
                SandboxConfiguration(
                    podUID: "uid-\(name)", namespace: "shop", name: name, hostname: name, address: nil))
            _ = try await runtime.startContainer(
                ContainerConfiguration(
                    id: ContainerID(podUID: "uid-\(name)", name: "main", restart: 0), root: RootFilesystem(layers: []),
                    arguments: ["run"], environment: [], workingDirectory: "/", logPath: ""))
        }
        let found = try await ContainerList(runtime: runtime).containers()
        #expect(found.map(\.pod) == ["db", "web"])
        #expect(found.map(\.container) == ["main", "main"] && found.map(\.namespace) == ["shop", "shop"])
        #expect(found.map(\.pid) == [2, 2])
        #expect(found.map { RunningContainer($0.json) } == found)
    }
}
