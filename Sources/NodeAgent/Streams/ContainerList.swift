import KubernetesModel
import NodeStreams
import PodRuntime

/// The containers that run on the node, for `martlet ps`.
struct ContainerList: Sendable {
    let runtime: any Runtime

    func containers() async throws -> [RunningContainer] {
        var found: [RunningContainer] = []
        let sandboxes = try await runtime.sandboxes().sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
        for sandbox in sandboxes {
            let usage = try? await runtime.usage(podUID: sandbox.podUID)
            for container in sandbox.containers where container.phase == .running {
                let amount = usage?[container.id]
                found.append(
                    RunningContainer(
                        namespace: sandbox.namespace, pod: sandbox.name, container: container.id.name,
                        pid: Int(container.pid), cpuNanoseconds: amount.map { Int(clamping: $0.cpuNanoseconds) },
                        memory: amount.map { Int(clamping: $0.workingSet) }))
            }
        }
        return found
    }
}
