import Glibc
import ImageStore
import KubernetesModel
import Linux
import PodRuntime
import Synchronization

@testable import NodeAgent

/// A runtime without processes: programs run until a signal ends them, or until the test does; `stubborn` takes SIGKILL
/// only, and `nope` cannot be executed.
final class FakeRuntime: Runtime {
    private struct State {
        var sandboxes: [String: Sandbox] = [:]
        var configurations: [SandboxConfiguration] = []
        var started: [ContainerConfiguration] = []
        var signals: [Int32] = []
    }

    private let state = Mutex(State())
    // Each agent has a stream of its own, as each process has.
    private let outputs = Mutex<[AsyncStream<ContainerState>.Continuation]>([])

    var exits: AsyncStream<ContainerState> {
        let (stream, continuation) = AsyncStream.makeStream(of: ContainerState.self)
        outputs.withLock { $0.append(continuation) }
        return stream
    }

    var started: [ContainerConfiguration] { state.withLock { $0.started } }
    var configurations: [SandboxConfiguration] { state.withLock { $0.configurations } }
    var signals: [Int32] { state.withLock { $0.signals } }
    var pods: Set<String> { state.withLock { Set($0.sandboxes.keys) } }

    func startSandbox(_ configuration: SandboxConfiguration) async throws -> Sandbox {
        state.withLock { state in
            if let sandbox = state.sandboxes[configuration.podUID] { return sandbox }
            let sandbox = Sandbox(
                podUID: configuration.podUID, namespace: configuration.namespace, name: configuration.name,
                address: configuration.address, pid: 1, containers: [])
            state.sandboxes[configuration.podUID] = sandbox
            state.configurations.append(configuration)
            return sandbox
        }
    }

    func sandboxes() async throws -> [Sandbox] { state.withLock { Array($0.sandboxes.values) } }
    func removeSandbox(podUID: String) async throws { state.withLock { $0.sandboxes[podUID] = nil } }

    func startContainer(_ configuration: ContainerConfiguration) async throws -> ContainerState {
        if configuration.arguments == ["nope"] {
            throw RuntimeError.start("exec: \"nope\": executable file not found in $PATH")
        }
        return state.withLock { state in
            state.started.append(configuration)
            let container = ContainerState(id: configuration.id, pid: 2, startedAt: .now, phase: .running)
            state.sandboxes[configuration.id.podUID]?.containers.append(container)
            return container
        }
    }

    func signalContainer(_ container: ContainerID, signal: Int32) async throws {
        let isStubborn = state.withLock { state in
            state.signals.append(signal)
            return state.started.contains { $0.id == container && $0.arguments == ["stubborn"] }
        }
        if !isStubborn || signal == 9 { end(container, code: 128 + signal, signal: signal) }
    }

    /// Ends a container's program.
    func end(_ id: ContainerID, code: Int32, signal: Int32 = 0) {
        let ended = state.withLock { state -> ContainerState? in
            guard
                let index = state.sandboxes[id.podUID]?.containers.firstIndex(where: {
                    $0.id == id && $0.phase == .running
                })
            else { return nil }
            state.sandboxes[id.podUID]?.containers[index].phase = .exited(
                code: code, signal: signal, outOfMemory: false, at: .now)
            return state.sandboxes[id.podUID]?.containers[index]
        }
        guard let ended else { return }
        outputs.withLock { for output in $0 { output.yield(ended) } }
    }

    func removeContainer(_ container: ContainerID) async throws {
        state.withLock { $0.sandboxes[container.podUID]?.containers.removeAll { $0.id == container } }
    }
    func execute(_ configuration: ExecConfiguration) async throws -> any ExecSession {
        throw RuntimeError.notFound("the fake runtime executes nothing")
    }
    func attach(_ container: ContainerID) async throws -> any ExecSession {
        throw RuntimeError.notFound("the fake runtime has no streams")
    }
    func connect(podUID: String, port: Int) async throws -> SharedDescriptor {
        throw RuntimeError.notFound("the fake runtime has no ports")
    }
    func usage(podUID: String) async throws -> [ContainerID: ResourceUsage] { [:] }
}

/// Knows `host` and nothing else.
struct FakeImages: ImageSource {
    func resolve(_ reference: String) async throws(ImageError) -> ResolvedImage {
        guard reference == "host" else { throw .notFound(reference) }
        return .host
    }
}
