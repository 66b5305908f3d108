import KubernetesModel

/// Which objects of a collection a request wants.
struct Selection: Sendable {
    let labels: LabelSelector
    let fields: FieldSelector

    static let everything = Selection(labels: .everything, fields: .everything)

    private init(labels: LabelSelector, fields: FieldSelector) {
        self.labels = labels
        self.fields = fields
    }

    /// - Throws: `BadRequest` where a selector has an error or names a field that the kind cannot be selected by.
    init(labels: String?, fields: String?, name: String? = nil, _ type: ResourceType) throws(Status) {
        self.labels = try labels.map { text throws(Status) in try LabelSelector(parsing: text) } ?? .everything
        var selector = try fields.map { text throws(Status) in try FieldSelector(parsing: text) } ?? .everything
        if let name {
            selector = FieldSelector(selector.requirements + [FieldSelector.Requirement("metadata.name", name)])
        }
        for requirement in selector.requirements {
            if let fault = Self.fault(of: requirement.path, type) { throw .badRequest(fault) }
        }
        self.fields = selector
    }

    var isEverything: Bool { labels.isEmpty && fields.isEmpty }

    func matches(_ object: Object) -> Bool {
        (labels.isEmpty || labels.matches(object.labels)) && (fields.isEmpty || fields.matches(object))
    }

    /// The only name that can be selected, where the selector says so: then no list need be searched.
    var name: String? { fields.requiredValue("metadata.name") }

    /// Why objects of a type cannot be selected by a field; nil where they can.
    private static func fault(of field: String, _ type: ResourceType) -> String? {
        let own = ownFields(of: type)
        if field == "metadata.name" || own.contains(field) { return nil }
        if own.isEmpty {
            return field == "metadata.namespace"
                ? nil : "\"\(field)\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        }
        if field == "metadata.namespace", type.namespaced { return nil }
        return type.groupResource == "jobs.batch"
            ? "field label \"\(field)\" not supported for Job" : "field label not supported: \(field)"
    }

    /// What the objects of a type can be selected by besides their name and namespace.
    private static func ownFields(of type: ResourceType) -> Set<String> {
        switch type.groupResource {
        case "pods":
            return [
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
            ]
        case "events", "events.events.k8s.io":
            let reference = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"]
            return Set(["reason", "reportingComponent", "source", "type"])
                .union(reference.map { "involvedObject.\($0)" }).union(reference.map { "regarding.\($0)" })
        case "secrets": return ["type"]
        case "nodes": return ["spec.unschedulable"]
        case "namespaces": return ["status.phase"]
        case "replicationcontrollers", "replicasets.apps": return ["status.replicas"]
        case "jobs.batch": return ["status.successful"]
        case "services": return ["spec.clusterIP", "spec.type"]
        case "certificatesigningrequests.certificates.k8s.io": return ["spec.signerName"]
        default: return []
        }
    }
}
