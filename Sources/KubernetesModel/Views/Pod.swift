/// A Pod, by name of its fields.
public struct Pod: Sendable, Hashable {
    public var object: Object

    public init(_ object: Object) { self.object = object }

    public enum Phase: String, Sendable {
        case pending = "Pending"
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        case unknown = "Unknown"
    }

    public enum QoSClass: String, Sendable {
        case guaranteed = "Guaranteed"
        case burstable = "Burstable"
        case bestEffort = "BestEffort"
    }

    public var spec: JSON { object.spec }
    public var status: JSON { object.status }

    public var phase: Phase { status["phase"].string.flatMap(Phase.init) ?? .pending }
    public var isReady: Bool { object.isConditionTrue("Ready") }
    /// Whether the pod has ended for good.
    public var isTerminal: Bool { phase == .succeeded || phase == .failed }
    /// Neither ended nor being deleted: what controllers count as a replica.
    public var isActive: Bool { !isTerminal && !object.isBeingDeleted }
    /// Whether the pod has been ready for `minReadySeconds`.
    public func isAvailable(minReadySeconds: Int, now: Timestamp = .now) -> Bool {
        guard let ready = object.condition("Ready"), ready.isTrue else { return false }
        guard minReadySeconds > 0 else { return true }
        return ready.lastTransitionTime.map { now.since($0) >= Double(minReadySeconds) } ?? false
    }

    public var nodeName: String? { spec["nodeName"].string.flatMap { $0.isEmpty ? nil : $0 } }
    public var podIP: String? { status["podIP"].string.flatMap { $0.isEmpty ? nil : $0 } }
    public var hostIP: String? { status["hostIP"].string }
    public var startTime: Timestamp? { status["startTime"].string.flatMap(Timestamp.init) }
    public var restartPolicy: String { spec["restartPolicy"].string ?? "Always" }
    public var gracePeriod: Int { spec["terminationGracePeriodSeconds"].int ?? 30 }
    public var priority: Int { spec["priority"].int ?? 0 }
    public var hostNetwork: Bool { spec["hostNetwork"].bool ?? false }
    public var serviceAccountName: String { spec["serviceAccountName"].string ?? "default" }

    public var containers: [Container] { spec["containers"].items.map(Container.init) }
    public var initContainers: [Container] { spec["initContainers"].items.map(Container.init) }
    public var ephemeralContainers: [Container] { spec["ephemeralContainers"].items.map(Container.init) }

    public var containerStatuses: [JSON] { status["containerStatuses"].items }
    public var initContainerStatuses: [JSON] { status["initContainerStatuses"].items }

    /// The status of a container of any sort.
    public func containerStatus(_ name: String) -> JSON? {
        for list in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
            if let found = status[list].items.first(where: { $0["name"].string == name }) { return found }
        }
        return nil
    }

    /// What the pod asks for: the greater of its running containers' sum and of each step of its initialisation,
    /// plus its overhead.
    public var requests: ResourceList { total(\.requests) }
    public var limits: ResourceList { total(\.limits) }

    private func total(_ amounts: (Container) -> ResourceList) -> ResourceList {
        var running: ResourceList = [:]
        for container in containers { running.add(amounts(container)) }
        var sidecars: ResourceList = [:]
        var steps: ResourceList = [:]
        for container in initContainers {
            var step = amounts(container)
            if container.isSidecar {
                sidecars.add(step)
                running.add(step)
                step = sidecars
            } else {
                step.add(sidecars)
            }
            steps.raise(to: step)
        }
        running.raise(to: steps)
        // Pod-level resources take the place of the containers' sums.
        for (name, amount) in amounts(Container(spec)) { running[name] = amount }
        running.add(spec["overhead"].resourceList)
        return running
    }

    /// The class by which the pod is accounted and evicted (only cpu and memory count).
    public var qosClass: QoSClass {
        var any = false
        var guaranteed = true
        for container in containers + initContainers {
            let requests = container.requests
            let limits = container.limits
            for name in ["cpu", "memory"] {
                let request = requests[name] ?? .zero
                let limit = limits[name] ?? .zero
                if !request.isZero || !limit.isZero { any = true }
                if limit.isZero || (requests[name] ?? limit) != limit { guaranteed = false }
            }
        }
        if !any { return .bestEffort }
        return guaranteed ? .guaranteed : .burstable
    }
}

/// A container of a pod's spec.
public struct Container: Sendable, Hashable {
    public var json: JSON

    public init(_ json: JSON) { self.json = json }

    public var name: String { json["name"].string ?? "" }
    public var image: String { json["image"].string ?? "" }
    public var imagePullPolicy: String { json["imagePullPolicy"].string ?? "IfNotPresent" }
    public var command: [String] { json["command"].strings }
    public var args: [String] { json["args"].strings }
    public var workingDir: String? { json["workingDir"].string.flatMap { $0.isEmpty ? nil : $0 } }
    public var ports: [JSON] { json["ports"].items }
    public var env: [JSON] { json["env"].items }
    public var requests: ResourceList { json["resources"]["requests"].resourceList }
    public var limits: ResourceList { json["resources"]["limits"].resourceList }
    /// An init container that keeps running beside the main ones.
    public var isSidecar: Bool { json["restartPolicy"].string == "Always" }
}

extension [String: Quantity] {
    /// Adds the amounts of `other`.
    public mutating func add(_ other: ResourceList) {
        for (name, amount) in other { self[name, default: .zero] += amount }
    }
    public mutating func subtract(_ other: ResourceList) {
        for (name, amount) in other { self[name, default: .zero] -= amount }
    }
    /// Raises each amount to that of `other` where it is less.
    public mutating func raise(to other: ResourceList) {
        for (name, amount) in other { self[name] = Swift.max(self[name] ?? amount, amount) }
    }
}
