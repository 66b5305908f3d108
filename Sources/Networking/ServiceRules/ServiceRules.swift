import APIClient
import Addresses
import KubernetesModel
import Linux
import Logging
import Retrying
import Synchronization

/// Translates Service addresses to endpoints on one node, by rules of the kernel.
///
/// Runs inside the node agent, in the node's network namespace. The rules stay when the agent ends, so Services go on
/// while it is started again. Changes are collected for some milliseconds and made in one transaction; connections that
/// exist keep their endpoint.
public actor ServiceRules {
    private let nftables: Nftables
    private let namespace: SharedDescriptor?
    private let node: String
    private let loadBalancers: IPv4Network?
    private let services: Informer
    private let slices: Informer
    private let slicesByService: SlicesByService
    private let dirty: Dirty
    private let logger: Logger
    private var table = RuleTable()
    /// Whether the kernel's table is what `table` says.
    private var isInPlace = false

    /// Collects changes of one burst: they come some milliseconds apart.
    private static let settling = Duration.milliseconds(3)

    /// - Parameters:
    ///   - informers: not running yet; the caller runs them.
    ///   - node: the node's name.
    ///   - loadBalancers: where the cluster's LoadBalancer Services have their addresses, which pods reach too
    ///     (`LoopbackDetour`); nil where they do not.
    ///   - namespace: the node's network namespace, kept open by the caller; nil where this process is in it.
    /// - Throws: `Nftables.Failure.unavailable` with the remedy, where the machine has no libnftables.
    package init(
        informers: SharedInformers, node: String, loadBalancers: IPv4Network? = nil, namespace: SharedDescriptor? = nil,
        logger: Logger = Logger(label: "service-rules")
    ) throws(Nftables.Failure) {
        nftables = try Nftables(namespace: namespace)
        self.namespace = namespace
        self.node = node
        self.loadBalancers = loadBalancers
        self.logger = logger
        services = informers[.services]
        slices = informers[.endpointSlices]
        let dirty = Dirty()
        self.dirty = dirty
        slicesByService = SlicesByService(slices) { dirty.add($0) }
        services.addHandler { dirty.add($0.key) }
    }

    /// Keeps the rules current until the task is cancelled. `whenReady` is called once the first ones are in place.
    public func run(whenReady: @Sendable () -> Void = {}) async {
        await services.waitForSync()
        await slices.waitForSync()
        var backoff = Backoff(first: .milliseconds(100), max: .seconds(10), jitter: 0.5)
        var ready = false
        dirty.wake()
        for await _ in dirty.signals {
            do {
                try await Task.sleep(for: ready ? Self.settling : .zero)
                try await apply()
                backoff.reset()
                if !ready { whenReady() }
                ready = true
            } catch is CancellationError {
                return
            } catch {
                // Nothing was changed; what the kernel has now is read before the next attempt.
                isInPlace = false
                logger.error("\(error)")
                try? await Task.sleep(for: backoff.next())
                dirty.wake()
            }
        }
    }

    private func apply() async throws {
        let before = table.datagrams
        var changes: [ObjectKey: ServiceFragment] = [:]
        for key in dirty.take() {
            guard let service = services.get(key) else {
                changes[key] = ServiceFragment()
                continue
            }
            let slices = slicesByService.slices(of: key)
            for entry in slices.flatMap(\.unusable) { logger.warning("an endpoint is passed over: \(entry)") }
            changes[key] = ServiceFragment(Service(service), slices: slices, node: node, loadBalancers: loadBalancers)
        }
        do {
            try await program(changes)
        } catch {
            for key in changes.keys { dirty.add(key) }
            throw error
        }
        let after = table.datagrams
        await forgetFlows(
            before.endpoints.subtracting(after.endpoints).union(after.addresses.subtracting(before.addresses)))
    }

    /// Brings the kernel's table to the present state with these changes.
    ///
    /// All of them are one transaction, which fails as a whole. Where the kernel refuses it, each Service has one of its
    /// own, so that one that cannot be programmed holds up no other.
    private func program(_ changes: [ObjectKey: ServiceFragment]) async throws {
        do {
            try await commit(changes)
        } catch Nftables.Failure.refused(let reason) where !changes.isEmpty {
            logger.error(
                "the rules of \(changes.count) Services are refused together, so each is made alone: \(reason)")
            if !isInPlace { try await commit([:]) }
            for (key, fragment) in changes.sorted(by: { $0.key < $1.key }) {
                do {
                    try await commit([key: fragment])
                } catch Nftables.Failure.refused(let reason) {
                    logger.error("\(key) has no rules on this node, because they are refused: \(reason)")
                    try await commit([key: ServiceFragment()])
                }
            }
        }
    }

    private func commit(_ changes: [ObjectKey: ServiceFragment]) async throws {
        var changed = table
        let transaction = changed.update(changes)
        if !isInPlace {
            // A table that is not there cannot be listed.
            let listing = (try? await nftables.run("list table \(RuleTable.table)")) ?? ""
            try await nftables.run(changed.replacement(listing: listing))
        } else if let transaction {
            try await nftables.run(transaction)
        }
        table = changed
        isInPlace = true
    }

    /// A UDP client that goes on sending would reach an endpoint that is gone, or an address that was none yet, for as
    /// long as its flow is tracked.
    private func forgetFlows(_ ends: Set<ConnectionTracking.Endpoint>) async {
        guard !ends.isEmpty else { return }
        do {
            let namespace = namespace
            _ = try await Blocking.run { () throws(SystemError) in
                try ConnectionTracking.forgetDatagramFlows(to: ends, in: namespace)
            }
        } catch {
            logger.debug("UDP flows to endpoints that are gone stay until they are idle: \(error)")
        }
    }
}

/// The Services that have changed since they were last looked at.
private final class Dirty: Sendable {
    let signals: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let keys = Mutex<Set<ObjectKey>>([])

    init() { (signals, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func add(_ key: ObjectKey) {
        keys.withLock { _ = $0.insert(key) }
        continuation.yield()
    }

    func wake() { continuation.yield() }

    func take() -> Set<ObjectKey> {
        keys.withLock { keys in
            defer { keys = [] }
            return keys
        }
    }
}
