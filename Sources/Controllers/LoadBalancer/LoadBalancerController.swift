import APIClient
import Addresses
import KubernetesModel
import Synchronization

/// Gives each LoadBalancer Service its own address in 127.0.0.0/8, and keeps it there.
final class LoadBalancerController: Controller {
    private let client: any Client
    private let services: Informer
    private let recorder: EventRecorder
    private let network: IPv4Network
    /// Addresses given out, by Service UID, until the informer shows them.
    private let given = Mutex<[String: String]>([:])

    let name = "loadbalancers"
    /// One: two would give out the same address.
    let workers = 1
    var reads: [Informer] { [services] }

    init(_ context: ControllerContext) {
        client = context.client
        services = context.informers[.services]
        recorder = context.recorder("service-controller")
        network = context.options.loadBalancers
    }

    func watch(_ queue: WorkQueue<ObjectKey>) { services.addHandler { queue.add($0.key) } }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let service = services.get(key) else { return nil }
        let all = services.list()
        let taken = given.withLock { given in
            let uids = Set(all.map(\.uid))
            given = given.filter { uids.contains($0.key) }
            for other in all where other.loadBalancerAddress == given[other.uid] { given[other.uid] = nil }
            var taken = Set(given.filter { $0.key != service.uid }.values)
            for other in all where other.uid != service.uid {
                if let address = other.loadBalancerAddress { taken.insert(address) }
            }
            return taken
        }
        switch LoadBalancerPlan(service: service, taken: taken, network: network) {
        case .leave: break
        case .assign(let address):
            given.withLock { $0[service.uid] = address }
            var status = service.status
            status["loadBalancer"] = ["ingress": [["ip": .string(address), "ipMode": "VIP"]]]
            try await client.writeStatus(.services, service, status)
            recorder.record(service, reason: "EnsuredLoadBalancer", message: "Ensured load balancer")
        case .release:
            var status = service.status
            status["loadBalancer"] = [:]
            try await client.writeStatus(.services, service, status)
            recorder.record(service, reason: "DeletedLoadBalancer", message: "Deleted load balancer")
        }
        return nil
    }
}
