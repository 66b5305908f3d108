import APIClient
import ClusterLayout
import InMemoryClient
import Logging
import PodRuntime

@testable import NodeAgent

extension NodeContext {
    /// What hooks and probes need of an agent.
    static func test(runtime: any Runtime, directory: String) -> NodeContext {
        let client = InMemoryClient()
        let configuration = NodeAgentConfiguration(
            nodeName: "node-1", index: 1, shape: NodeShape(), clusterName: "test", stateDirectory: directory,
            runDirectory: directory, kubeconfig: "", imageDirectory: "", initPath: "")
        return NodeContext(
            configuration: configuration, client: client, runtime: runtime, images: FakeImages(),
            events: EventRecorder(client, component: "test"), references: ReferenceCache(client) { _ in },
            services: Informer(client, .services), addresses: AddressPool(configuration: configuration),
            tokens: TokenSource(client), clock: ContinuousClock(), logger: Logger(label: "test"))
    }
}
