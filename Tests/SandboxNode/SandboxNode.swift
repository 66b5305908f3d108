import Addresses
import ClusterLayout
import Glibc
import KubernetesModel
import Linux
import Logging
import PodRuntime
import TestSupport

/// A node in a directory of its own.
package struct SandboxNode {
    package let directory: String
    package let runtime: SandboxRuntime

    package var resources: any ResourceController { ResourceDrivers.choose(nodeDirectory: paths.directory).controller }
    package var paths: NodePaths { Self.paths(directory) }
    private static func paths(_ directory: String) -> NodePaths {
        NodePaths(name: "node-1", state: directory, runtime: "\(directory)/run")
    }

    /// - Parameters:
    ///   - hide: what containers on the host's root do not see.
    ///   - show: what of it they see.
    package init(directory: String, hide: [String] = [], show: [String] = []) throws {
        self.directory = directory
        try makeDirectory("\(directory)/log")
        runtime = SandboxRuntime(
            configuration: RuntimeConfiguration(
                paths: Self.paths(directory), initPath: Products.path("martlet-init"),
                gateway: IPv4Address(0), hidden: HiddenPaths(always: [directory], hide: hide, show: show)),
            resources: ResourceDrivers.choose(nodeDirectory: Self.paths(directory).directory).controller,
            logger: Logger(label: "test"))
    }

    /// The same node after the death of its agent.
    package func again() -> SandboxNode { (try? SandboxNode(directory: directory)) ?? self }

    package func start(_ uid: String, shared: Bool = false, hostIPC: Bool = false) async throws {
        _ = try await runtime.startSandbox(
            SandboxConfiguration(
                podUID: uid, namespace: "default", name: uid, hostname: uid, address: nil, sharesProcesses: shared,
                sharesHostIPC: hostIPC))
    }

    @discardableResult
    package func run(
        _ uid: String, _ arguments: [String], name: String = "main",
        _ change: (inout ContainerConfiguration) -> Void = { _ in }
    ) async throws -> ContainerID {
        let id = ContainerID(podUID: uid, name: name, restart: 0)
        var container = ContainerConfiguration(
            id: id, root: RootFilesystem(layers: ["/"]), arguments: arguments, environment: ["MARK=mark"],
            workingDirectory: "/", logPath: logPath(id))
        change(&container)
        let state = try await runtime.startContainer(container)
        guard state.pid > 1 else { throw RuntimeError.failed("the container has the process \(state.pid)") }
        return id
    }

    package func end(of id: ContainerID) async throws -> ContainerState {
        _ = try await runtime.sandboxes()
        for await state in runtime.exits where state.id == id { return state }
        throw RuntimeError.failed("the runtime reports no more exits")
    }

    package func logPath(_ id: ContainerID) -> String { "\(directory)/log/\(id.name).log" }
    package func log(_ id: ContainerID) throws -> String { try readFile(logPath(id)) }
}

/// Runs a test on a node of its own and removes what it left.
package func withRuntime(
    hide: [String] = [], show: [String] = [], _ body: (SandboxNode) async throws -> Void
) async throws {
    let directory = "/tmp/martlet-test-\(getpid())-\(UInt32.random(in: 0 ... .max))/c"
    let node = try SandboxNode(directory: directory, hide: hide, show: show)
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(node))
    } catch {
        result = .failure(error)
    }
    for sandbox in try await node.runtime.sandboxes() { try await node.runtime.removeSandbox(podUID: sandbox.podUID) }
    await ClusterRemains(stateDirectory: directory).end()
    try removeTree(String(directory.dropLast(2)))
    try result.get()
}

extension ContainerState.Phase {
    package var code: Int32? { if case .exited(let code, _, _, _) = self { code } else { nil } }
}
