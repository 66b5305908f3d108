import KubernetesModel

/// Required affinity and anti-affinity between pods.
struct AffinityFilter {
    /// A topology key and a value of it.
    private struct Domain: Hashable {
        let key: String
        let value: String
    }

    private let pod: PodInfo
    /// Domains in which a pod is that all affinity terms want.
    private var wanted: Set<Domain> = []
    /// Domains in which a pod is that the pod stays away from.
    private var avoided: Set<Domain> = []
    /// Domains in which a pod is that keeps this pod away.
    private var refused: Set<Domain> = []
    /// The first of a group that wants to be together has nobody to join.
    private let mayBeFirst: Bool

    init?(_ pod: PodInfo, _ cluster: Cluster) {
        guard !pod.affinity.isEmpty || !pod.antiAffinity.isEmpty || cluster.antiAffinePods > 0 else { return nil }
        self.pod = pod
        let labels = cluster.namespaceLabels
        for node in cluster.nodes.values {
            for other in node.pods.values {
                if !pod.affinity.isEmpty,
                    pod.affinity.allSatisfy({ $0.matches(other, namespaceLabels: labels) })
                {
                    wanted.formUnion(Self.domains(pod.affinity, of: node))
                }
                for term in pod.antiAffinity where term.matches(other, namespaceLabels: labels) {
                    avoided.formUnion(Self.domains([term], of: node))
                }
                for term in other.antiAffinity where term.matches(pod, namespaceLabels: labels) {
                    refused.formUnion(Self.domains([term], of: node))
                }
            }
        }
        mayBeFirst = wanted.isEmpty && pod.affinity.allSatisfy { $0.matches(pod, namespaceLabels: labels) }
    }

    private static func domains(_ terms: [AffinityTerm], of node: NodeInfo) -> [Domain] {
        terms.compactMap { term in
            node.topologyValue(term.topologyKey).map { Domain(key: term.topologyKey, value: $0) }
        }
    }

    func rejection(of node: NodeInfo) -> Rejection? {
        if !pod.affinity.isEmpty {
            let domains = Self.domains(pod.affinity, of: node)
            guard domains.count == pod.affinity.count, mayBeFirst || domains.allSatisfy(wanted.contains) else {
                return Rejection(
                    .interPodAffinity, ["node(s) didn't match pod affinity rules"], resolvable: false)
            }
        }
        if Self.domains(pod.antiAffinity, of: node).contains(where: avoided.contains) {
            return Rejection(.interPodAffinity, ["node(s) didn't match pod anti-affinity rules"], resolvable: true)
        }
        if refused.contains(where: { node.topologyValue($0.key) == $0.value }) {
            return Rejection(
                .interPodAffinity, ["node(s) didn't satisfy existing pods anti-affinity rules"], resolvable: true)
        }
        return nil
    }
}
