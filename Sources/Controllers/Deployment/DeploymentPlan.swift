import KubernetesModel

/// What one reconciliation of a Deployment writes. Made from objects alone, by the rules of the upstream controller.
///
/// Reconciliations are small steps: each acts on the result of the last one, until the rollout is complete.
struct DeploymentPlan {
    enum Action: Equatable {
        case create(Object)
        case update(Object)
        case delete(Object)

        var replicaSet: Object {
            switch self {
            case .create(let set), .update(let set), .delete(let set): set
            }
        }
    }

    private(set) var actions: [Action] = []
    /// Events about the Deployment (`ScalingReplicaSet`), by the ReplicaSet that is written.
    private(set) var events: [String: String] = [:]
    /// The revision that the Deployment's annotation has to name, where it does not yet.
    private(set) var revision: Int?
    private(set) var status: JSON
    /// Seconds until the progress deadline.
    private(set) var wait: Double?

    private let deployment: Object
    private let now: Timestamp
    /// The ReplicaSet of the present template, and all others, as they will be after the actions.
    private(set) var current: Object?
    private(set) var old: [Object]

    private var all: [Object] { old + (current.map { [$0] } ?? []) }

    /// - Parameters:
    ///   - replicaSets: those that the Deployment manages.
    ///   - hasOldPods: whether pods of other templates still exist (called for `Recreate` only).
    init(deployment: Object, replicaSets: [Object], hasOldPods: (Object?) -> Bool, now: Timestamp) {
        self.deployment = deployment
        self.now = now
        status = deployment.status
        let ordered = replicaSets.sorted(by: ReplicaSetOrder.older)
        current = ordered.first {
            PodTemplate.areEqual($0.spec["template"], deployment.spec["template"])
        }
        let currentUID = current?.uid
        old = ordered.filter { $0.uid != currentUID }

        guard !deployment.isBeingDeleted else {
            updateStatus()
            return
        }
        notePause()
        if deployment.isPaused || isScaling {
            takeUpCurrent(creating: false)
            scale()
            if deployment.isPaused { cleanUp() }
            updateStatus()
            return
        }
        if deployment.isRecreate {
            recreate(hasOldPods)
        } else {
            roll()
        }
        updateRolloutStatus()
    }

    private var isScaling: Bool {
        all.contains { set in
            set.replicas > 0
                && (set.annotations[DeploymentAnnotation.desiredReplicas].flatMap(Int.init) ?? deployment.replicas)
                    != deployment.replicas
        }
    }

    // MARK: The two strategies

    private mutating func roll() {
        takeUpCurrent(creating: true)
        guard let current else { return }
        if current.replicas != deployment.replicas {
            let size = RollingUpdate.newSize(of: current, deployment: deployment, all: all)
            if resize(current, to: size) { return }
        }
        var scaledDown = false
        for change in RollingUpdate.oldSizes(deployment: deployment, current: current, old: old) {
            scaledDown = resize(change.replicaSet, to: change.size) || scaledDown
        }
        if !scaledDown, isComplete { cleanUp() }
    }

    private mutating func recreate(_ hasOldPods: (Object?) -> Bool) {
        takeUpCurrent(creating: false)
        var scaledDown = false
        for set in old where set.replicas > 0 { scaledDown = resize(set, to: 0) || scaledDown }
        if scaledDown || hasOldPods(current) { return }
        takeUpCurrent(creating: true)
        if let current, resize(current, to: deployment.replicas) { return }
        if isComplete { cleanUp() }
    }

    private var isComplete: Bool {
        Self.isComplete(DeploymentStatus.counts(of: deployment, current: current, all: all), deployment)
    }

    static func isComplete(_ status: JSON, _ deployment: Object) -> Bool {
        let wanted = deployment.replicas
        return (status["updatedReplicas"].int ?? 0) == wanted && (status["replicas"].int ?? 0) == wanted
            && (status["availableReplicas"].int ?? 0) == wanted
            && (status["observedGeneration"].int ?? 0) >= deployment.generation
    }

    // MARK: The ReplicaSet of the present template

    private mutating func takeUpCurrent(creating: Bool) {
        let newest = (old.map(\.revision).max() ?? 0) + 1
        if var set = current {
            DeploymentAnnotation.inherit(from: deployment, to: &set, revision: newest)
            set.spec["minReadySeconds"] = deployment.spec["minReadySeconds"]
            let isChanged =
                set.annotations != current?.annotations
                || (set.spec["minReadySeconds"].int ?? 0) != (current?.spec["minReadySeconds"].int ?? 0)
            if isChanged { put(set) }
            note(revision: set.revision)
            if deployment.progressDeadline != nil, status.conditions["Progressing"] == nil {
                setProgressing("True", "FoundNewReplicaSet", "Found new replica set \"\(set.name)\"")
            }
        } else if creating {
            create(revision: newest)
        }
    }

    private mutating func create(revision newest: Int) {
        let template = deployment.spec["template"]
        let hash = PodTemplate.hash(template, collisions: deployment.status["collisionCount"].int)
        var set = Object(.replicaSets, namespace: deployment.namespace, name: "\(deployment.name)-\(hash)")
        set.metadata["ownerReferences"] = [OwnerReference(controller: deployment).json]
        set.spec["template"] = template
        set.spec["template"]["metadata"]["labels"][PodTemplate.hashLabel] = .string(hash)
        set.metadata["labels"] = set.spec["template"]["metadata"]["labels"]
        set.spec["selector"] = deployment.spec["selector"]
        set.spec["selector"]["matchLabels"][PodTemplate.hashLabel] = .string(hash)
        set.spec["minReadySeconds"] = deployment.spec["minReadySeconds"]
        set.replicas = 0
        DeploymentAnnotation.inherit(from: deployment, to: &set, revision: newest)
        set.replicas = RollingUpdate.newSize(of: set, deployment: deployment, all: old + [set])
        annotateSizes(&set)
        current = set
        actions.append(.create(set))
        if set.replicas > 0 { events[set.name] = "Scaled up replica set \(set.name) from 0 to \(set.replicas)" }
        note(revision: newest)
        if deployment.progressDeadline != nil {
            setProgressing("True", "NewReplicaSetCreated", "Created new replica set \"\(set.name)\"")
        }
    }

    private mutating func note(revision number: Int) {
        if number != deployment.revision { revision = number }
    }

    // MARK: Sizes

    /// Scales without a rollout: the size changed, or the rollout is paused.
    private mutating func scale() {
        let active = all.filter { $0.replicas > 0 }
        if active.count <= 1 {
            if let only = active.first ?? current ?? old.last { _ = resize(only, to: deployment.replicas) }
            return
        }
        if let current, isSaturated(current) {
            for set in old where set.replicas > 0 { _ = resize(set, to: 0) }
            return
        }
        guard !deployment.isRecreate else { return }
        for change in ProportionalScaling.sizes(of: active, deployment: deployment) {
            _ = resize(change.replicaSet, to: change.size)
        }
    }

    private func isSaturated(_ set: Object) -> Bool {
        set.annotations[DeploymentAnnotation.desiredReplicas].flatMap(Int.init) == deployment.replicas
            && set.replicas == deployment.replicas && set.availableReplicas == deployment.replicas
    }

    /// Gives a ReplicaSet another size, and its annotations what the Deployment asks for. Returns whether the size
    /// changed.
    private mutating func resize(_ set: Object, to size: Int) -> Bool {
        var changed = set
        annotateSizes(&changed)
        let before = set.replicas
        changed.replicas = size
        guard changed != set else { return false }
        put(changed)
        guard size != before else { return false }
        events[set.name] =
            "Scaled \(size > before ? "up" : "down") replica set \(set.name) from \(before) to \(size)"
        return true
    }

    private func annotateSizes(_ set: inout Object) {
        set.setAnnotation(DeploymentAnnotation.desiredReplicas, String(deployment.replicas))
        set.setAnnotation(DeploymentAnnotation.maxReplicas, String(deployment.replicas + deployment.maxSurge))
    }

    /// Replaces a ReplicaSet by its changed copy: one write, however often it is changed in the pass.
    private mutating func put(_ set: Object) {
        let isCurrent = current?.name == set.name
        if isCurrent { current = set } else { old = old.map { $0.name == set.name ? set : $0 } }
        let place = actions.firstIndex { $0.replicaSet.name == set.name }
        guard let place else {
            actions.append(.update(set))
            return
        }
        if case .create = actions[place] { actions[place] = .create(set) } else { actions[place] = .update(set) }
    }

    /// Deletes the oldest ReplicaSets without pods, beyond `revisionHistoryLimit`.
    private mutating func cleanUp() {
        let limit = deployment.spec["revisionHistoryLimit"].int ?? 10
        guard limit != Int(Int32.max) else { return }
        let candidates = old.filter { !$0.isBeingDeleted }.sorted { $0.revision < $1.revision }
        for set in candidates.prefix(max(0, candidates.count - limit))
        where set.statusReplicas == 0 && set.replicas == 0
            && set.generation <= set.status["observedGeneration"].int ?? 0
        {
            actions.append(.delete(set))
        }
    }

    // MARK: Status

    private mutating func notePause() {
        guard deployment.progressDeadline != nil else { return }
        let reason = status.conditions["Progressing"]?.reason
        guard reason != "ProgressDeadlineExceeded" else { return }
        if deployment.isPaused, reason != "DeploymentPaused" {
            setProgressing("Unknown", "DeploymentPaused", "Deployment is paused")
        } else if !deployment.isPaused, reason == "DeploymentPaused" {
            setProgressing("Unknown", "DeploymentResumed", "Deployment is resumed")
        }
    }

    private mutating func setProgressing(_ value: String, _ reason: String, _ message: String) {
        let condition = Condition("Progressing", status: value, reason: reason, message: message)
        DeploymentStatus.setCondition(&status, condition, now: now)
    }

    private mutating func updateStatus() {
        DeploymentStatus.fill(&status, of: deployment, current: current, all: all, now: now)
    }

    private mutating func updateRolloutStatus() {
        updateStatus()
        wait = DeploymentStatus.noteProgress(&status, of: deployment, current: current, all: all, now: now)
    }
}
