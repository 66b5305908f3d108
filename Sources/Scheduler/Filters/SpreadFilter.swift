import KubernetesModel

/// The hard topology spread constraints of a pod: no domain may be more than `maxSkew` above the emptiest.
struct SpreadFilter {
    private struct Counted {
        let constraint: SpreadConstraint
        let counts: [String: Int]
        let minimum: Int
        let countsItself: Int
    }

    private let counted: [Counted]

    init?(_ pod: PodInfo, _ cluster: Cluster) {
        let hard = pod.spread.filter(\.isHard)
        guard !hard.isEmpty else { return nil }
        counted = hard.map { constraint in
            let counts = Self.counts(constraint, of: pod, in: cluster, all: hard)
            // With fewer domains than wanted, the missing ones count as empty.
            let minimum = counts.count < constraint.minDomains ? 0 : counts.values.min() ?? 0
            return Counted(
                constraint: constraint, counts: counts, minimum: minimum,
                countsItself: constraint.selector.matches(pod.labels) ? 1 : 0)
        }
    }

    /// The pods that match a constraint in each domain that the pod could go to.
    static func counts(
        _ constraint: SpreadConstraint, of pod: PodInfo, in cluster: Cluster, all: [SpreadConstraint]
    ) -> [String: Int] {
        var counts: [String: Int] = [:]
        for name in cluster.present {
            guard let node = cluster.nodes[name],
                all.allSatisfy({ node.topologyValue($0.topologyKey) != nil }),
                !constraint.honorsAffinity || Filters.matchesNodeAffinity(pod, node),
                !constraint.honorsTaints || Filters.taints(pod, node) == nil,
                let value = node.topologyValue(constraint.topologyKey)
            else { continue }
            counts[value, default: 0] += node.pods.values.count { other in
                other.key.namespace == pod.key.namespace && !other.isLeaving
                    && constraint.selector.matches(other.labels)
            }
        }
        return counts
    }

    func rejection(of node: NodeInfo) -> Rejection? {
        for counted in counted {
            guard let value = node.topologyValue(counted.constraint.topologyKey) else {
                return Rejection(
                    .podTopologySpread,
                    ["node(s) didn't match pod topology spread constraints (missing required label)"],
                    resolvable: false)
            }
            let skew = (counted.counts[value] ?? 0) + counted.countsItself - counted.minimum
            if skew > counted.constraint.maxSkew {
                return Rejection(
                    .podTopologySpread, ["node(s) didn't match pod topology spread constraints"], resolvable: true)
            }
        }
        return nil
    }
}
