import KubernetesModel

/// Why a node does not suit a pod.
struct Rejection: Equatable, Sendable {
    /// The checks of a node, each by the name of its upstream plugin; also which cluster events can change its answer.
    enum Filter: String, Sendable {
        case nodeUnschedulable = "NodeUnschedulable"
        case nodeName = "NodeName"
        case taintToleration = "TaintToleration"
        case nodeAffinity = "NodeAffinity"
        case nodePorts = "NodePorts"
        case nodeResourcesFit = "NodeResourcesFit"
        case podTopologySpread = "PodTopologySpread"
        case interPodAffinity = "InterPodAffinity"
        case volumeBinding = "VolumeBinding"
    }

    let filter: Filter
    let reasons: [String]
    /// Whether taking other pods away from the node could help.
    let isResolvable: Bool

    init(_ filter: Filter, _ reasons: [String], resolvable: Bool) {
        self.filter = filter
        self.reasons = reasons
        isResolvable = resolvable
    }
}

/// The checks of one pod against any node. What needs all nodes is counted once, when it is made.
struct Filters {
    private let pod: PodInfo
    private let lacksVolume: Bool
    private let spread: SpreadFilter?
    private let affinity: AffinityFilter?

    init(_ pod: PodInfo, _ cluster: Cluster) {
        self.pod = pod
        lacksVolume = cluster.claims.lacksVolume(pod)
        spread = SpreadFilter(pod, cluster)
        affinity = AffinityFilter(pod, cluster)
    }

    /// Nil where the node suits the pod; otherwise the first check that it fails, in upstream's order.
    func rejection(of node: NodeInfo) -> Rejection? {
        Self.unschedulable(pod, node) ?? Self.nodeName(pod, node) ?? Self.taints(pod, node)
            ?? Self.nodeAffinity(pod, node) ?? Self.ports(pod, node) ?? Self.resources(pod, node)
            ?? volumes() ?? spread?.rejection(of: node) ?? affinity?.rejection(of: node)
    }

    /// No node has volumes that a claim could be given.
    private func volumes() -> Rejection? {
        guard lacksVolume else { return nil }
        return Rejection(
            .volumeBinding, ["node(s) didn't find available persistent volumes to bind"], resolvable: false)
    }

    static func unschedulable(_ pod: PodInfo, _ node: NodeInfo) -> Rejection? {
        guard node.isUnschedulable,
            !pod.tolerates(Taint(key: "node.kubernetes.io/unschedulable", effect: "NoSchedule"))
        else { return nil }
        return Rejection(.nodeUnschedulable, ["node(s) were unschedulable"], resolvable: false)
    }

    static func nodeName(_ pod: PodInfo, _ node: NodeInfo) -> Rejection? {
        guard let name = pod.object.spec["nodeName"].string, !name.isEmpty, name != node.name else { return nil }
        return Rejection(.nodeName, ["node(s) didn't match the requested node name"], resolvable: false)
    }

    static func taints(_ pod: PodInfo, _ node: NodeInfo) -> Rejection? {
        let taint = node.taints.first {
            ($0.effect == "NoSchedule" || $0.effect == "NoExecute") && !pod.tolerates($0)
        }
        guard let taint else { return nil }
        return Rejection(
            .taintToleration, ["node(s) had untolerated taint {\(taint.key): \(taint.value)}"], resolvable: false)
    }

    static func matchesNodeAffinity(_ pod: PodInfo, _ node: NodeInfo) -> Bool {
        pod.nodeSelector.allSatisfy { node.labels[$0.key] == $0.value }
            && pod.requiredNodeTerms.map { $0.contains { $0.matches(node) } } ?? true
    }

    static func nodeAffinity(_ pod: PodInfo, _ node: NodeInfo) -> Rejection? {
        guard !matchesNodeAffinity(pod, node) else { return nil }
        return Rejection(.nodeAffinity, ["node(s) didn't match Pod's node affinity/selector"], resolvable: false)
    }

    static func ports(_ pod: PodInfo, _ node: NodeInfo) -> Rejection? {
        guard pod.hostPorts.contains(where: { port in node.hostPorts.contains { $0.conflicts(with: port) } }) else {
            return nil
        }
        return Rejection(
            .nodePorts, ["node(s) didn't have free ports for the requested pod ports"], resolvable: true)
    }

    static func resources(_ pod: PodInfo, _ node: NodeInfo) -> Rejection? {
        var reasons: [String] = []
        var isResolvable = true
        if node.pods.count + 1 > node.podLimit { reasons.append("Too many pods") }
        func check(_ name: String, _ wanted: Int, _ used: Int, _ limit: Int) {
            guard wanted > 0, wanted > limit - used else { return }
            reasons.append("Insufficient \(name)")
            if wanted > limit { isResolvable = false }
        }
        check("cpu", pod.requests.milliCPU, node.requested.milliCPU, node.allocatable.milliCPU)
        check("memory", pod.requests.memory, node.requested.memory, node.allocatable.memory)
        check(
            "ephemeral-storage", pod.requests.ephemeralStorage, node.requested.ephemeralStorage,
            node.allocatable.ephemeralStorage)
        for (name, wanted) in pod.requests.extended.sorted(by: { $0.key < $1.key }) {
            check(name, wanted, node.requested.extended[name] ?? 0, node.allocatable.extended[name] ?? 0)
        }
        return reasons.isEmpty ? nil : Rejection(.nodeResourcesFit, reasons, resolvable: isResolvable)
    }
}
