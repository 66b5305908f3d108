import Testing

@testable import PodRuntime

@Suite struct ContainerOperationsTests {
    @Test(
        arguments: [
            (nil, "mode=700\0"), (1 << 20, "mode=700,size=1048576\0"), (0, "mode=700,size=4096\0"),
        ] as [(Int?, String)])
    func aLayerInMemoryHasTheContainersLimit(limit: Int?, options: String) {
        var container = ContainerConfiguration(
            id: ContainerID(podUID: "one", name: "main", restart: 0), root: RootFilesystem(layers: ["/"]),
            arguments: ["true"], environment: [], workingDirectory: "/", logPath: "")
        container.layerLimit = limit
        let operations = ContainerOperations(
            configuration: container, directory: "/node/one", hostname: "one", hiddenDirectories: [], sharedMemory: nil,
            machine: HostRoot(needsMemoryLayer: true, mounts: []))
        #expect(operations.start(joining: []).bytes.firstRange(of: Array(options.utf8)) != nil)
    }
}
