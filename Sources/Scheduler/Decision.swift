import KubernetesModel

/// Where a pod goes, or why it goes nowhere.
enum Decision: Sendable {
    case node(String)
    case none(FitError)

    /// - Parameter turn: which of equally good nodes is taken, so that pods go round.
    static func make(for pod: PodInfo, in cluster: Cluster, turn: Int) -> Decision {
        if let fault = cluster.claims.fault(for: pod) {
            return .none(
                FitError(.volumeBinding, fault, nodes: cluster.present.count, policy: preemptionPolicy(of: pod)))
        }
        let filters = Filters(pod, cluster)
        var fitting: [NodeInfo] = []
        var rejections: [Rejection] = []
        for name in cluster.present {
            guard let node = cluster.nodes[name] else { continue }
            if let rejection = filters.rejection(of: node) {
                rejections.append(rejection)
            } else {
                fitting.append(node)
            }
        }
        guard !fitting.isEmpty else { return .none(FitError(rejections, policy: preemptionPolicy(of: pod))) }
        let scores = Scorer.scores(pod, fitting, cluster)
        let best = scores.max() ?? 0
        let winners = fitting.indices.filter { scores[$0] >= best - 1e-9 }
        return .node(fitting[winners[turn % winners.count]].name)
    }

    private static func preemptionPolicy(of pod: PodInfo) -> String {
        pod.object.spec["preemptionPolicy"].string ?? "PreemptLowerPriority"
    }
}

/// Why no node suits a pod, in upstream's words.
struct FitError: Error, Sendable, CustomStringConvertible {
    let rejections: [Rejection]
    /// Why no node was even looked at.
    private let fault: String?
    private let policy: String

    init(_ rejections: [Rejection], policy: String) {
        self.rejections = rejections
        fault = nil
        self.policy = policy
    }

    /// Something about the pod, which is the same for all nodes.
    init(_ filter: Rejection.Filter, _ fault: String, nodes: Int, policy: String) {
        rejections = Array(repeating: Rejection(filter, [fault], resolvable: false), count: nodes)
        self.fault = fault
        self.policy = policy
    }

    var filters: Set<Rejection.Filter> { Set(rejections.map(\.filter)) }

    var description: String {
        guard !rejections.isEmpty else { return "no nodes available to schedule pods" }
        let why = fault.map { summary($0) } ?? summary(rejections.flatMap(\.reasons))
        return "\(why) preemption: \(preemption)"
    }

    private var preemption: String {
        if policy == "Never" { return "not eligible due to preemptionPolicy=Never." }
        return summary(
            rejections.map {
                $0.isResolvable
                    ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling"
            })
    }

    private func summary(_ reasons: [String]) -> String {
        var counts: [String: Int] = [:]
        for reason in reasons { counts[reason, default: 0] += 1 }
        let texts = counts.map { "\($0.value) \($0.key)" }.sorted()
        return summary(texts.joined(separator: ", "))
    }

    private func summary(_ text: String) -> String { "0/\(rejections.count) nodes are available: \(text)." }
}
