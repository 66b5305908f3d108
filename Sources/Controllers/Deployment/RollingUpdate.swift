import KubernetesModel

/// The sizes by which a rolling update moves on, within `maxSurge` and `maxUnavailable`.
enum RollingUpdate {
    struct Resize: Equatable {
        let replicaSet: Object
        let size: Int
    }

    /// The size of the ReplicaSet of the present template, as far as the surge allows it.
    static func newSize(of current: Object, deployment: Object, all: [Object]) -> Int {
        let wanted = deployment.replicas
        guard !deployment.isRecreate, current.replicas < wanted else { return wanted }
        let total = all.reduce(0) { $0 + $1.replicas }
        let room = wanted + deployment.maxSurge - total
        return room <= 0 ? current.replicas : current.replicas + min(room, wanted - current.replicas)
    }

    /// How far the others may shrink. First go pods that are not available, which costs nothing; then available ones,
    /// as many as are more than the minimum.
    static func oldSizes(deployment: Object, current: Object, old: [Object]) -> [Resize] {
        let active = old.filter { $0.replicas > 0 }.sorted(by: ReplicaSetOrder.older)
        guard !active.isEmpty else { return [] }
        let total = active.reduce(current.replicas) { $0 + $1.replicas }
        let minimum = deployment.replicas - deployment.maxUnavailable
        let currentUnavailable = current.replicas - current.availableReplicas
        var surplus = total - minimum - currentUnavailable
        guard surplus > 0 else { return [] }

        var sizes = active.map(\.replicas)
        for (index, set) in active.enumerated() where surplus > 0 {
            let unavailable = min(surplus, max(0, sizes[index] - set.availableReplicas))
            sizes[index] -= unavailable
            surplus -= unavailable
        }
        let available = active.reduce(current.availableReplicas) { $0 + $1.availableReplicas }
        var spare = available - minimum
        for index in sizes.indices where spare > 0 {
            let fewer = min(spare, sizes[index])
            sizes[index] -= fewer
            spare -= fewer
        }
        return zip(active, sizes).filter { $0.replicas != $1 }.map { Resize(replicaSet: $0, size: $1) }
    }
}

/// Spreads a change of size over all ReplicaSets of a rollout in progress, in proportion to their sizes.
enum ProportionalScaling {
    static func sizes(of active: [Object], deployment: Object) -> [RollingUpdate.Resize] {
        let total = active.reduce(0) { $0 + $1.replicas }
        let allowed = deployment.replicas > 0 ? deployment.replicas + deployment.maxSurge : 0
        let change = allowed - total
        let ordered = active.sorted(by: ReplicaSetOrder.larger(newerFirst: change >= 0))
        var done = 0
        var sizes = ordered.map { set in
            guard change != 0, change != done else { return set.replicas }
            let share = fraction(of: set, deployment: deployment)
            let part = change > 0 ? min(share, change - done) : max(share, change - done)
            done += part
            return set.replicas + part
        }
        // What rounding left over goes to the largest.
        if change != 0, !sizes.isEmpty { sizes[0] = max(0, sizes[0] + change - done) }
        return zip(ordered, sizes).map { RollingUpdate.Resize(replicaSet: $0, size: $1) }
    }

    private static func fraction(of set: Object, deployment: Object) -> Int {
        guard deployment.replicas > 0 else { return -set.replicas }
        var before = set.annotations[DeploymentAnnotation.maxReplicas].flatMap(Int.init) ?? 0
        if before == 0 { before = deployment.statusReplicas }
        guard before > 0 else { return 0 }
        let size = Double(set.replicas * (deployment.replicas + deployment.maxSurge)) / Double(before)
        return Int(size.rounded(.toNearestOrAwayFromZero)) - set.replicas
    }
}
