import KubernetesModel

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The order in which surplus pods are deleted: those that are missed least come first.
///
/// The criteria and their order are those of the upstream ReplicaSet controller: without a node; pending before unknown
/// before running; not ready; a lower `controller.kubernetes.io/pod-deletion-cost`; more pods of the same owners on the
/// node; ready for a shorter time; more restarts; younger. Times are compared by the logarithm of the age, so that among
/// pods of about the same age the choice is arbitrary.
struct PodRanking {
    static let deletionCost = "controller.kubernetes.io/pod-deletion-cost"

    private struct Entry {
        let pod: Object
        let hasNode: Bool
        let phase: Int
        let isReady: Bool
        let cost: Int
        let crowd: Int
        let readyAge: Int?
        let restarts: Int
        let age: Int?
    }

    /// - Parameter related: pods of the owner and of its siblings (all ReplicaSets of one Deployment).
    static func first(_ count: Int, of pods: [Object], related: [Object], now: Timestamp) -> [Object] {
        guard count < pods.count else { return pods }
        var crowds: [String: Int] = [:]
        for pod in related where pod.isActivePod && !pod.nodeName.isEmpty { crowds[pod.nodeName, default: 0] += 1 }
        let entries = pods.map { pod in
            let restarts = (pod.status["containerStatuses"].items + pod.status["initContainerStatuses"].items)
                .map { $0["restartCount"].int ?? 0 }.max()
            return Entry(
                pod: pod, hasNode: !pod.nodeName.isEmpty, phase: rank(of: pod.phase), isReady: pod.isReadyPod,
                cost: pod.annotations[deletionCost].flatMap(Int.init) ?? 0, crowd: crowds[pod.nodeName] ?? 0,
                readyAge: pod.isReadyPod ? logarithm(of: pod.readySince, now) : nil, restarts: restarts ?? 0,
                age: logarithm(of: pod.creationTimestamp, now))
        }
        return entries.sorted(by: goesFirst).prefix(count).map(\.pod)
    }

    private static func goesFirst(_ left: Entry, _ right: Entry) -> Bool {
        if left.hasNode != right.hasNode { return !left.hasNode }
        if left.phase != right.phase { return left.phase < right.phase }
        if left.isReady != right.isReady { return !left.isReady }
        if left.cost != right.cost { return left.cost < right.cost }
        if left.crowd != right.crowd { return left.crowd > right.crowd }
        if left.isReady, left.readyAge != right.readyAge {
            return (left.readyAge ?? Int.max) < (right.readyAge ?? Int.max)
        }
        if left.restarts != right.restarts { return left.restarts > right.restarts }
        if left.age != right.age { return (left.age ?? Int.max) < (right.age ?? Int.max) }
        return left.pod.uid < right.pod.uid
    }

    private static func rank(of phase: String) -> Int {
        switch phase {
        case "Running": 2
        case "Unknown": 1
        default: 0
        }
    }

    /// The power of two of an age in nanoseconds; -1 for the present and what lies after it.
    private static func logarithm(of moment: Timestamp?, _ now: Timestamp) -> Int? {
        guard let moment else { return nil }
        let age = now.since(moment) * 1e9
        return age <= 0 ? -1 : Int(log2(age))
    }
}
