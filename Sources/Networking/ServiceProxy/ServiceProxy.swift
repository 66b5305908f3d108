import APIClient
import KubernetesModel
import Linux
import Logging

/// Carries connections from the host to the Services' ready endpoints: LoadBalancer addresses and node ports.
///
/// It runs in the cluster's network namespace, where it reaches pods; its listening sockets were bound in the host's.
/// While the API is away it goes on with what it knows.
public actor ServiceProxy {
    struct Fault: Hashable {
        let address: HostAddress
        let service: ObjectKey
    }

    private let client: any Client
    private let binder: any HostBinder
    private let recorder: EventRecorder
    private let services: Informer
    private let slices: Informer
    private let listenAddresses: [String]
    private let logger: Logger
    private(set) var listeners: [HostAddress: HostListener] = [:]
    private var forwarders: [HostAddress: Forwarder] = [:]
    /// Addresses that could not be bound, so that each is reported once.
    private(set) var faults: [Fault: String] = [:]

    private static let byService = "service"

    /// - Parameter listenAddresses: addresses of the host at which the network reaches Services.
    public init(
        client: any Client, binder: any HostBinder, listenAddresses: [String] = [], logger: Logger
    ) {
        self.client = client
        self.listenAddresses = listenAddresses
        self.binder = binder
        self.logger = logger
        recorder = EventRecorder(client, component: "service-proxy")
        services = Informer(client, .services)
        slices = Informer(
            client, .endpointSlices,
            indexes: [
                Self.byService: { slice in
                    let name = slice.labels[EndpointSlice.serviceNameLabel]
                    return name.map { ["\(slice.namespace)/\($0)"] } ?? []
                }
            ])
    }

    /// Serves until the task is cancelled; `whenReady` is called once all Services that there are have been looked at.
    public func run(whenReady: @Sendable @escaping () -> Void) async {
        let queue = WorkQueue<ObjectKey>()
        services.addHandler { queue.add($0.key) }
        slices.addHandler { change in
            guard let name = change.object.labels[EndpointSlice.serviceNameLabel] else { return }
            queue.add(ObjectKey(namespace: change.object.namespace, name: name))
        }
        let controlLoop = ControlLoop(
            name: "service-proxy", queue: queue, reconciler: self, reads: [services, slices], workers: 1,
            logger: logger)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.services.run() }
            group.addTask { await self.slices.run() }
            group.addTask { await self.recorder.run() }
            await services.waitForSync()
            await slices.waitForSync()
            // Services may have gone while no proxy ran. Before the first is bound, which this must not undo.
            let wanted = services.list().flatMap {
                HostListener.of(Service($0), slices: [], listenAddresses: listenAddresses)
            }
            await binder.retain(Set(wanted.map(\.address)))
            group.addTask { await controlLoop.run() }
            whenReady()
        }
        for forwarder in forwarders.values { await forwarder.stop() }
    }

    private func apply(_ wanted: HostListener) async throws -> Bool {
        let address = wanted.address
        if let present = listeners[address] {
            if present == wanted { return true }
            guard present.service == wanted.service else {
                await report("Service \(present.service) is served there", on: wanted)
                return false
            }
        }
        if let forwarder = forwarders[address] {
            listeners[address] = wanted
            await forwarder.update(wanted)
            return true
        }
        let descriptor: SharedDescriptor
        do {
            descriptor = try await binder.bind(address)
        } catch {
            await report(String(describing: error), on: wanted)
            return false
        }
        let balancer = Balancer(backends: wanted.backends, affinityTimeout: wanted.affinityTimeout)
        forwarders[address] = try Forwarder(
            address.transport == "UDP" ? .datagram : .stream, descriptor: descriptor, balancer: balancer)
        listeners[address] = wanted
        if faults.removeValue(forKey: Fault(address: address, service: wanted.service)) != nil {
            await setCondition(wanted, fault: nil)
        }
        logger.info("\(wanted.service) is served at \(address)")
        announce(wanted)
        return true
    }

    /// What the kernel refuses to programs that come later, it does not tell this one of.
    private func announce(_ listener: HostListener) {
        guard listener.address.port != listener.nodePort, let service = services.get(listener.service) else { return }
        recorder.record(
            service, .normal, reason: "PortBound",
            message: "listening at \(listener.address) on this machine; a program that listens on that port of all "
                + "addresses (0.0.0.0) is refused, as the port is in use: have it listen on addresses of its own")
    }

    private func remove(_ address: HostAddress) async {
        listeners[address] = nil
        await forwarders.removeValue(forKey: address)?.stop()
        await binder.release(address)
    }

    private func report(_ problem: String, on listener: HostListener) async {
        let message =
            "cannot listen at \(listener.address) on this machine: \(problem); "
            + "end what holds that port, or give the Service another one"
        let fault = Fault(address: listener.address, service: listener.service)
        guard faults[fault] != message else { return }
        faults[fault] = message
        logger.warning("\(listener.service): \(message)")
        if let service = services.get(listener.service) {
            recorder.record(service, .warning, reason: "PortNotAvailable", message: message)
        }
        await setCondition(listener, fault: message)
    }

    /// The Service's condition `HostPortsBound` says what cannot be reached from the host, and why.
    private func setCondition(_ listener: HostListener, fault: String?) async {
        guard let service = services.get(listener.service) else { return }
        var condition = Condition(
            "HostPortsBound", fault == nil, reason: fault == nil ? "Bound" : "PortNotAvailable", message: fault ?? "")
        condition.lastTransitionTime = .now
        condition.keepTransitionTime(of: service.condition(condition.type))
        let patch: JSON = ["status": ["conditions": [condition.patch]]]
        do {
            try await client.patch(
                .services, namespace: service.namespace, name: service.name, subresource: "status",
                .strategicMerge(patch))
        } catch {
            logger.debug("condition of \(listener.service) not written: \(error)")
        }
    }
}

extension ServiceProxy: Reconciler {
    public func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        let present = services.get(key).map { object in
            HostListener.of(
                Service(object), slices: slices.list(index: Self.byService, key.description).map(EndpointSlice.init),
                listenAddresses: listenAddresses)
        }
        let wanted = present ?? []
        let addresses = Set(wanted.map(\.address))
        for (address, listener) in listeners where listener.service == key && !addresses.contains(address) {
            await remove(address)
        }
        faults = faults.filter { $0.key.service != key || addresses.contains($0.key.address) }
        var complete = true
        for listener in wanted { complete = try await apply(listener) && complete }
        // The port may become free.
        return complete ? nil : .after(.seconds(2))
    }
}
