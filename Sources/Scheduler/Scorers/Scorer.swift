import KubernetesModel

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// How well nodes suit a pod, with the scorers and weights of upstream's default profile. Each scorer gives 0 to 100.
enum Scorer {
    /// The total of each node, in the order of `nodes`.
    static func scores(_ pod: PodInfo, _ nodes: [NodeInfo], _ cluster: Cluster) -> [Double] {
        guard nodes.count > 1 else { return nodes.map { _ in 0 } }
        var totals = nodes.map { leastAllocated(pod, $0) + balanced(pod, $0) }
        func add(_ scores: [Double]?, weight: Double) {
            guard let scores else { return }
            for index in totals.indices { totals[index] += weight * scores[index] }
        }
        add(taints(pod, nodes), weight: 3)
        add(nodeAffinity(pod, nodes), weight: 2)
        add(SpreadScorer.scores(pod, nodes, cluster), weight: 2)
        add(podAffinity(pod, nodes, cluster), weight: 2)
        return totals
    }

    /// The share of cpu and memory that stays free.
    static func leastAllocated(_ pod: PodInfo, _ node: NodeInfo) -> Double {
        func free(_ used: Int, _ total: Int) -> Double {
            total <= 0 || used > total ? 0 : Double(total - used) / Double(total) * 100
        }
        let cpu = free(node.countedCPU + pod.countedCPU, node.allocatable.milliCPU)
        let memory = free(node.countedMemory + pod.countedMemory, node.allocatable.memory)
        return (cpu + memory) / 2
    }

    /// How alike the used shares of cpu and memory are.
    static func balanced(_ pod: PodInfo, _ node: NodeInfo) -> Double {
        func share(_ used: Int, _ total: Int) -> Double { total <= 0 ? 1 : min(1, Double(used) / Double(total)) }
        let cpu = share(node.requested.milliCPU + pod.requests.milliCPU, node.allocatable.milliCPU)
        let memory = share(node.requested.memory + pod.requests.memory, node.allocatable.memory)
        return (1 - abs(cpu - memory) / 2) * 100
    }

    /// Fewer untolerated `PreferNoSchedule` taints are better.
    static func taints(_ pod: PodInfo, _ nodes: [NodeInfo]) -> [Double]? {
        let counts = nodes.map { node in
            node.taints.count { $0.effect == "PreferNoSchedule" && !pod.tolerates($0) }
        }
        guard let most = counts.max(), most > 0 else { return nil }
        return counts.map { 100 - 100 * Double($0) / Double(most) }
    }

    static func nodeAffinity(_ pod: PodInfo, _ nodes: [NodeInfo]) -> [Double]? {
        guard !pod.preferredNodeTerms.isEmpty else { return nil }
        let sums = nodes.map { node in
            pod.preferredNodeTerms.reduce(0) { $0 + ($1.term.matches(node) ? $1.weight : 0) }
        }
        guard let most = sums.max(), most > 0 else { return nil }
        return sums.map { 100 * Double($0) / Double(most) }
    }

    /// Preferred affinity to pods, and of pods that are there to this one.
    static func podAffinity(_ pod: PodInfo, _ nodes: [NodeInfo], _ cluster: Cluster) -> [Double]? {
        struct Domain: Hashable {
            let key: String
            let value: String
        }
        var weights: [Domain: Int] = [:]
        for node in cluster.nodes.values {
            for other in node.pods.values {
                func count(_ weight: Int, _ term: AffinityTerm, _ candidate: PodInfo) {
                    guard let value = node.topologyValue(term.topologyKey),
                        term.matches(candidate, namespaceLabels: cluster.namespaceLabels)
                    else { return }
                    weights[Domain(key: term.topologyKey, value: value), default: 0] += weight
                }
                for (weight, term) in pod.preferredAffinity { count(weight, term, other) }
                for (weight, term) in other.preferredAffinity { count(weight, term, pod) }
                // Who requires to be with this pod would like to have it near: upstream's hard affinity weight.
                for term in other.affinity { count(1, term, pod) }
            }
        }
        guard !weights.isEmpty else { return nil }
        let sums = nodes.map { node in
            weights.reduce(0) { node.topologyValue($1.key.key) == $1.key.value ? $0 + $1.value : $0 }
        }
        guard let least = sums.min(), let most = sums.max(), least < most else { return nil }
        return sums.map { 100 * Double($0 - least) / Double(most - least) }
    }
}

/// Soft spreading: by the pod's own `ScheduleAnyway` constraints, or by default over nodes and zones among the pods of
/// one owner.
enum SpreadScorer {
    private struct Rule {
        let topologyKey: String
        let maxSkew: Int
        /// The pods of a node that count.
        let count: (NodeInfo) -> Int
    }

    static func scores(_ pod: PodInfo, _ nodes: [NodeInfo], _ cluster: Cluster) -> [Double]? {
        let rules = rules(pod)
        guard !rules.isEmpty else { return nil }
        var sums = nodes.map { _ in 0.0 }
        for rule in rules {
            var counts: [String: Int] = [:]
            for node in nodes {
                if let value = node.topologyValue(rule.topologyKey) { counts[value] = 0 }
            }
            for node in cluster.nodes.values {
                guard let value = node.topologyValue(rule.topologyKey), counts[value] != nil else { continue }
                counts[value, default: 0] += rule.count(node)
            }
            // A rule with few domains must not outweigh one with many.
            let weight = log(Double(counts.count + 2))
            for (index, node) in nodes.enumerated() {
                guard let value = node.topologyValue(rule.topologyKey) else { continue }
                sums[index] += Double(counts[value] ?? 0) * weight + Double(rule.maxSkew - 1)
            }
        }
        guard let least = sums.min(), let most = sums.max() else { return nil }
        return sums.map { most == 0 ? 100 : 100 * (most + least - $0) / most }
    }

    private static func rules(_ pod: PodInfo) -> [Rule] {
        if !pod.spread.isEmpty {
            return pod.spread.filter { !$0.isHard }.map { constraint in
                Rule(topologyKey: constraint.topologyKey, maxSkew: constraint.maxSkew) { node in
                    node.pods.values.count {
                        $0.key.namespace == pod.key.namespace && !$0.isLeaving
                            && constraint.selector.matches($0.labels)
                    }
                }
            }
        }
        guard let owner = pod.owner else { return [] }
        return [(Cluster.hostname, 3), ("topology.kubernetes.io/zone", 5)].map { key, skew in
            Rule(topologyKey: key, maxSkew: skew) { $0.count(ofOwner: owner) }
        }
    }
}
