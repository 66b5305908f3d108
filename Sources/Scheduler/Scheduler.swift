/// Scheduler: gives each pod a node.
///
/// Decisions are functions of a copy of the cluster in memory (`Cluster`), which a decision changes at once, so that the
/// next one sees it; the binding is written meanwhile. It reads and writes the API only.

import APIClient
import KubernetesModel
import Logging
import Retrying

public actor Scheduler {
    /// The `spec.schedulerName` of the pods that it looks after.
    public static let name = "default-scheduler"

    private enum Input: Sendable {
        case pod(Change)
        case node(Change)
        case namespace(Change)
        case claim(Change)
        case storageClass(Change)
        case bindingFailed(SchedulingQueue.Entry, node: String, String)
        case tick
    }

    private let client: any Client
    private let informers: SharedInformers
    private let runsInformers: Bool
    private let recorder: EventRecorder
    private let logger: Logger
    private let inputs: AsyncStream<Input>
    private let input: AsyncStream<Input>.Continuation

    private var cluster = Cluster()
    private var queue: SchedulingQueue
    private var turn = 0
    private var alarm: (moment: ContinuousClock.Instant, task: Task<Void, Never>)?

    /// - Parameters:
    ///   - informers: those of the process; the caller runs them, after everyone has made its own. Nil to have
    ///     informers that `run` runs.
    ///   - backoff: the waits before a pod that has failed is tried again.
    public init(
        client: any Client, informers: SharedInformers? = nil,
        backoff: Backoff = Backoff(first: .milliseconds(100), max: .seconds(10)),
        logger: Logger = Logger(label: "scheduler")
    ) {
        self.client = client
        self.informers = informers ?? SharedInformers(client, logger: logger)
        runsInformers = informers == nil
        recorder = EventRecorder(client, component: Self.name, logger: logger)
        self.logger = logger
        queue = SchedulingQueue(backoff: backoff)
        let (inputs, input) = AsyncStream.makeStream(of: Input.self)
        self.inputs = inputs
        self.input = input
        self.informers[.pods].addHandler { input.yield(.pod($0)) }
        self.informers[.nodes].addHandler { input.yield(.node($0)) }
        self.informers[.namespaces].addHandler { input.yield(.namespace($0)) }
        self.informers[.persistentVolumeClaims].addHandler { input.yield(.claim($0)) }
        self.informers[.storageClasses].addHandler { input.yield(.storageClass($0)) }
    }

    /// Schedules until the task is cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { [recorder] in await recorder.run() }
            if runsInformers { group.addTask { [informers] in await informers.run() } }
            // Before all pods and nodes are known, a decision could give a node more than it has.
            for type in [ResourceType.nodes, .pods, .namespaces, .persistentVolumeClaims, .storageClasses] {
                await informers[type].waitForSync()
            }
            await work(&group)
            alarm?.task.cancel()
            group.cancelAll()
        }
    }

    private func work(_ group: inout DiscardingTaskGroup) async {
        for await input in inputs {
            take(input)
            while let entry = queue.takeFirst() { schedule(entry, &group) }
            setAlarm()
        }
    }

    // MARK: What happened

    private func take(_ input: Input) {
        let now = ContinuousClock.now
        switch input {
        case .pod(let change): take(change, now)
        case .node(.deleted(let node)): cluster.removeNode(node.name)
        case .node(.added(let node)), .node(.updated(_, let node)):
            if cluster.put(node) { queue.moveAll(on: .nodeChanged, now: now) }
        case .namespace(.deleted(let namespace)): cluster.namespaceLabels[namespace.name] = nil
        case .namespace(.added(let namespace)), .namespace(.updated(_, let namespace)):
            cluster.namespaceLabels[namespace.name] = namespace.labels
        case .claim(.deleted(let claim)): cluster.claims.remove(claim.key)
        case .claim(.added(let claim)), .claim(.updated(_, let claim)):
            cluster.claims.put(claim)
            queue.moveAll(on: .claimChanged, now: now)
        case .storageClass(.deleted(let storageClass)): cluster.claims.remove(storageClass: storageClass.name)
        case .storageClass(.added(let storageClass)), .storageClass(.updated(_, let storageClass)):
            cluster.claims.put(storageClass: storageClass)
            queue.moveAll(on: .claimChanged, now: now)
        case .bindingFailed(let entry, let node, let why):
            logger.debug("\(entry.pod.key): not bound to \(node): \(why)")
            // The informer may have shown the pod's end, or its place, in the meantime.
            guard cluster.node(of: entry.pod.uid) == node, let pod = informers[.pods].get(entry.pod.key),
                pod.uid == entry.pod.uid, Pod(pod).nodeName == nil
            else { break }
            cluster.removePod(entry.pod.uid)
            queue.failed(entry, now: now)
            queue.moveAll(on: .podLeft, now: now)
        case .tick:
            alarm = nil
            queue.advance(to: now)
        }
    }

    private func take(_ change: Change, _ now: ContinuousClock.Instant) {
        let object = change.object
        let pod = Pod(object)
        if case .deleted = change {
            queue.remove(object.uid)
            if cluster.removePod(object.uid) { queue.moveAll(on: .podLeft, now: now) }
        } else if pod.isTerminal {
            queue.remove(object.uid)
            if cluster.removePod(object.uid) { queue.moveAll(on: .podLeft, now: now) }
        } else if let node = pod.nodeName {
            queue.remove(object.uid)
            let isKnown = cluster.node(of: object.uid) == node
            cluster.place(PodInfo(object), on: node)
            if !isKnown { queue.moveAll(on: .podPlaced, now: now) }
        } else if cluster.node(of: object.uid) != nil {
            // It has a node already, which only its binding has yet to show.
            if object.isBeingDeleted, case .updated(let old, _) = change, !old.isBeingDeleted {
                queue.moveAll(on: .podLeft, now: now)
            }
        } else if object.isBeingDeleted || object.spec["schedulerName"].string ?? Self.name != Self.name
            || !object.spec["schedulingGates"].items.isEmpty
        {
            queue.remove(object.uid)
        } else {
            queue.put(PodInfo(object))
        }
    }

    // MARK: Decisions

    private func schedule(_ entry: SchedulingQueue.Entry, _ group: inout DiscardingTaskGroup) {
        let pod = entry.pod
        switch Decision.make(for: pod, in: cluster, turn: turn) {
        case .node(let node):
            turn &+= 1
            cluster.place(pod, on: node)
            group.addTask { await self.bind(entry, to: node) }
        case .none(let why):
            queue.rejected(entry, by: why.filters, now: .now)
            let message = why.description
            recorder.record(pod.object, .warning, reason: "FailedScheduling", message: message)
            group.addTask { await self.note(unschedulable: pod.object, message) }
        }
    }

    private nonisolated func bind(_ entry: SchedulingQueue.Entry, to node: String) async {
        let pod = entry.pod
        let binding = Object([
            "apiVersion": "v1", "kind": "Binding",
            "metadata": [
                "namespace": .string(pod.key.namespace), "name": .string(pod.key.name), "uid": .string(pod.uid),
            ],
            "target": ["apiVersion": "v1", "kind": "Node", "name": .string(node)],
        ])
        do {
            try await client.create(
                .pods, binding, namespace: pod.key.namespace, subresource: SubresourcePath(of: pod.key.name, "binding"))
            recorder.record(
                pod.object, reason: "Scheduled", message: "Successfully assigned \(pod.key) to \(node)")
        } catch is CancellationError {
        } catch {
            input.yield(.bindingFailed(entry, node: node, "\(error)"))
        }
    }

    /// Writes on the pod why it has no node.
    private nonisolated func note(unschedulable pod: Object, _ message: String) async {
        var noted = pod
        let condition = Condition("PodScheduled", false, reason: "Unschedulable", message: message)
        guard noted.setCondition(condition) else { return }
        let patch: JSON = ["metadata": ["uid": .string(pod.uid)], "status": ["conditions": noted.status["conditions"]]]
        do {
            try await client.patch(
                .pods, namespace: pod.namespace, name: pod.name, subresource: "status", .merge(patch))
        } catch {
            logger.debug("\(pod.key): condition not written: \(error)")
        }
    }

    /// Wakes the loop when the next pod has waited long enough.
    private func setAlarm() {
        let next = queue.nextDue
        if let alarm {
            if let next, alarm.moment <= next { return }
            alarm.task.cancel()
            self.alarm = nil
        }
        guard let next else { return }
        let task = Task { [input] in
            do { try await Task.sleep(until: next, clock: .continuous) } catch { return }
            input.yield(.tick)
        }
        alarm = (next, task)
    }
}
