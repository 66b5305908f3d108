import KubernetesModel

/// What scheduling needs to know of a pod, read once from its object.
struct PodInfo: Sendable {
    let object: Object
    let key: ObjectKey
    let uid: String
    let labels: [String: String]
    let priority: Int
    let requests: Resources
    /// The requests with a small default in place of none, so that pods without requests spread too.
    let countedCPU: Int
    let countedMemory: Int
    let hostPorts: [HostPort]
    /// The PersistentVolumeClaims that its volumes name.
    let claims: [String]
    let tolerations: [Toleration]
    let nodeSelector: [String: String]
    let requiredNodeTerms: [NodeTerm]?
    let preferredNodeTerms: [(weight: Int, term: NodeTerm)]
    let spread: [SpreadConstraint]
    let affinity: [AffinityTerm]
    let antiAffinity: [AffinityTerm]
    let preferredAffinity: [(weight: Int, term: AffinityTerm)]
    /// The UID of what manages the pod; its pods are spread.
    let owner: String?
    /// A pod that is being deleted still takes its room, but no longer counts where pods are spread.
    let isLeaving: Bool

    init(_ object: Object) {
        self.object = object
        let pod = Pod(object)
        let spec = object.spec
        key = object.key
        uid = object.uid
        labels = object.labels
        priority = pod.priority
        requests = Resources(pod.requests)
        countedCPU = requests.milliCPU == 0 ? 100 : requests.milliCPU
        countedMemory = requests.memory == 0 ? 200 << 20 : requests.memory
        hostPorts = pod.containers.flatMap(\.ports).compactMap { port in
            guard let number = port["hostPort"].int, number > 0 else { return nil }
            let address = port["hostIP"].string ?? ""
            return HostPort(
                address: address.isEmpty ? "0.0.0.0" : address, transport: port["protocol"].string ?? "TCP",
                number: number)
        }
        claims = spec["volumes"].items.compactMap { $0["persistentVolumeClaim"]["claimName"].string }
        tolerations = pod.tolerations
        nodeSelector = spec["nodeSelector"].stringMap
        let nodeAffinity = spec["affinity"]["nodeAffinity"]
        let required = nodeAffinity["requiredDuringSchedulingIgnoredDuringExecution"]
        requiredNodeTerms = required.isNull ? nil : required["nodeSelectorTerms"].items.map(NodeTerm.init)
        preferredNodeTerms = nodeAffinity["preferredDuringSchedulingIgnoredDuringExecution"].items.map {
            ($0["weight"].int ?? 0, NodeTerm($0["preference"]))
        }
        let podLabels = labels
        spread = spec["topologySpreadConstraints"].items.map { SpreadConstraint($0, of: podLabels) }
        let namespace = object.namespace
        func terms(_ kind: String) -> [AffinityTerm] {
            spec["affinity"][kind]["requiredDuringSchedulingIgnoredDuringExecution"].items.map {
                AffinityTerm($0, namespace: namespace, labels: podLabels)
            }
        }
        func preferred(_ kind: String, sign: Int) -> [(weight: Int, term: AffinityTerm)] {
            spec["affinity"][kind]["preferredDuringSchedulingIgnoredDuringExecution"].items.map {
                (
                    sign * ($0["weight"].int ?? 0),
                    AffinityTerm($0["podAffinityTerm"], namespace: namespace, labels: podLabels)
                )
            }
        }
        affinity = terms("podAffinity")
        antiAffinity = terms("podAntiAffinity")
        preferredAffinity = preferred("podAffinity", sign: 1) + preferred("podAntiAffinity", sign: -1)
        owner = object.controller?.uid
        isLeaving = object.isBeingDeleted
    }

    func tolerates(_ taint: Taint) -> Bool { tolerations.contains { $0.tolerates(taint) } }
}

/// One of a node selector's terms, which match by labels and by the node's name.
struct NodeTerm: Sendable {
    private let labels: LabelSelector
    private let fields: LabelSelector
    private let isEmpty: Bool

    init(_ json: JSON) {
        labels = LabelSelector(["matchExpressions": json["matchExpressions"]])
        fields = LabelSelector(["matchExpressions": json["matchFields"]])
        isEmpty = json["matchExpressions"].items.isEmpty && json["matchFields"].items.isEmpty
    }

    /// An empty term matches no node.
    func matches(_ node: NodeInfo) -> Bool {
        !isEmpty && labels.matches(node.labels) && fields.matches(["metadata.name": node.name])
    }
}

/// One of `spec.topologySpreadConstraints`.
struct SpreadConstraint: Sendable {
    let topologyKey: String
    let maxSkew: Int
    let minDomains: Int
    let isHard: Bool
    let selector: LabelSelector
    let honorsAffinity: Bool
    let honorsTaints: Bool

    init(_ json: JSON, of labels: [String: String]) {
        topologyKey = json["topologyKey"].string ?? ""
        maxSkew = json["maxSkew"].int ?? 1
        minDomains = json["minDomains"].int ?? 1
        isHard = json["whenUnsatisfiable"].string != "ScheduleAnyway"
        let selector = LabelSelector(json["labelSelector"])
        let own = json["matchLabelKeys"].strings.compactMap { key in
            labels[key].map { LabelSelector.Requirement(key, .equals, [$0]) }
        }
        self.selector = selector.matchesNothing ? selector : LabelSelector(selector.requirements + own)
        honorsAffinity = json["nodeAffinityPolicy"].string != "Ignore"
        honorsTaints = json["nodeTaintsPolicy"].string == "Honor"
    }
}

/// A term of pod affinity or anti-affinity.
struct AffinityTerm: Sendable {
    let topologyKey: String
    private let selector: LabelSelector
    private let namespaces: Set<String>
    private let namespaceSelector: LabelSelector

    init(_ json: JSON, namespace: String, labels: [String: String]) {
        topologyKey = json["topologyKey"].string ?? ""
        let selector = LabelSelector(json["labelSelector"])
        let own = json["matchLabelKeys"].strings.compactMap { key in
            labels[key].map { LabelSelector.Requirement(key, .equals, [$0]) }
        }
        let others = json["mismatchLabelKeys"].strings.compactMap { key in
            labels[key].map { LabelSelector.Requirement(key, .notEquals, [$0]) }
        }
        self.selector = selector.matchesNothing ? selector : LabelSelector(selector.requirements + own + others)
        namespaceSelector = LabelSelector(json["namespaceSelector"])
        let named = json["namespaces"].strings
        namespaces = named.isEmpty && json["namespaceSelector"].isNull ? [namespace] : Set(named)
    }

    func matches(_ pod: PodInfo, namespaceLabels: [String: [String: String]]) -> Bool {
        guard
            namespaces.contains(pod.key.namespace)
                || namespaceSelector.matches(namespaceLabels[pod.key.namespace] ?? [:])
        else { return false }
        return selector.matches(pod.labels)
    }
}
