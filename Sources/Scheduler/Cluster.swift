import KubernetesModel

/// A node with what is on it.
struct NodeInfo: Sendable {
    let name: String
    private(set) var labels: [String: String] = [:]
    private(set) var taints: [Taint] = []
    private(set) var isUnschedulable = false
    private(set) var allocatable = Resources()
    private(set) var podLimit = 0

    private(set) var pods: [String: PodInfo] = [:]
    private(set) var requested = Resources()
    private(set) var countedCPU = 0
    private(set) var countedMemory = 0
    private(set) var hostPorts: [HostPort] = []
    /// How many pods stay of each owner, so that spreading them does not count all pods for each decision.
    private var ownerCounts: [String: Int] = [:]

    init(name: String) { self.name = name }

    mutating func describe(_ object: Object) {
        let node = Node(object)
        labels = object.labels
        taints = node.taints
        isUnschedulable = node.isUnschedulable
        let amounts = object.status["allocatable"].isNull ? node.capacity : node.allocatable
        allocatable = Resources(amounts)
        podLimit = amounts["pods"]?.value ?? 110
    }

    mutating func add(_ pod: PodInfo) {
        remove(pod.uid)
        pods[pod.uid] = pod
        requested += pod.requests
        countedCPU += pod.countedCPU
        countedMemory += pod.countedMemory
        hostPorts += pod.hostPorts
        if let owner = pod.owner, !pod.isLeaving { ownerCounts[owner, default: 0] += 1 }
    }

    mutating func remove(_ uid: String) {
        guard let pod = pods.removeValue(forKey: uid) else { return }
        requested -= pod.requests
        countedCPU -= pod.countedCPU
        countedMemory -= pod.countedMemory
        for port in pod.hostPorts {
            if let index = hostPorts.firstIndex(of: port) { hostPorts.remove(at: index) }
        }
        if let owner = pod.owner, !pod.isLeaving {
            let left = (ownerCounts[owner] ?? 0) - 1
            ownerCounts[owner] = left > 0 ? left : nil
        }
    }

    func count(ofOwner uid: String) -> Int { ownerCounts[uid] ?? 0 }

    func topologyValue(_ key: String) -> String? { labels[key] ?? (key == Cluster.hostname ? name : nil) }
}

/// The nodes and the pods on them, as decisions see them: with those pods that were only just given a node.
struct Cluster: Sendable {
    static let hostname = "kubernetes.io/hostname"

    private(set) var nodes: [String: NodeInfo] = [:]
    /// Nodes that exist. A pod may name one that does not, or not yet.
    private(set) var present: [String] = []
    var namespaceLabels: [String: [String: String]] = [:]
    var claims = Claims()
    /// How many pods keep others away, so that the others need not be asked when there is none.
    private(set) var antiAffinePods = 0
    private var nodeOfPod: [String: String] = [:]

    /// Adds or updates a node. Returns whether more pods could fit because of it.
    mutating func put(_ node: Object) -> Bool {
        let name = node.name
        let before = nodes[name]
        let isNew = !present.contains(name)
        nodes[name, default: NodeInfo(name: name)].describe(node)
        if isNew { present = (present + [name]).sorted() }
        guard !isNew, let before, let after = nodes[name] else { return true }
        return before.labels != after.labels || before.taints != after.taints
            || before.isUnschedulable != after.isUnschedulable || before.allocatable != after.allocatable
            || before.podLimit != after.podLimit
    }

    mutating func removeNode(_ name: String) {
        present.removeAll { $0 == name }
        if nodes[name]?.pods.isEmpty == true { nodes[name] = nil }
    }

    func node(of uid: String) -> String? { nodeOfPod[uid] }

    mutating func place(_ pod: PodInfo, on node: String) {
        removePod(pod.uid)
        nodes[node, default: NodeInfo(name: node)].add(pod)
        nodeOfPod[pod.uid] = node
        if !pod.antiAffinity.isEmpty { antiAffinePods += 1 }
    }

    @discardableResult
    mutating func removePod(_ uid: String) -> Bool {
        guard let node = nodeOfPod.removeValue(forKey: uid) else { return false }
        if nodes[node]?.pods[uid]?.antiAffinity.isEmpty == false { antiAffinePods -= 1 }
        nodes[node]?.remove(uid)
        if nodes[node]?.pods.isEmpty == true, !present.contains(node) { nodes[node] = nil }
        return true
    }
}
