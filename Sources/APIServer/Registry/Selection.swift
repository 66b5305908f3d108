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
        let allowed = Self.fields(of: type)
        for requirement in selector.requirements where !allowed.contains(requirement.path) {
            throw .badRequest("field label not supported: \(requirement.path)")
        }
        self.fields = selector
    }

    var isEverything: Bool { labels.isEmpty && fields.isEmpty }

    func matches(_ object: Object) -> Bool {
        (labels.isEmpty || labels.matches(object.labels)) && (fields.isEmpty || fields.matches(object))
    }

    /// The only name that can be selected, where the selector says so: then no list need be searched.
    var name: String? { fields.requiredValue("metadata.name") }

    private static func fields(of type: ResourceType) -> Set<String> {
        var fields: Set<String> = ["metadata.name"]
        if type.namespaced { fields.insert("metadata.namespace") }
        switch type.groupResource {
        case "pods":
            fields.formUnion([
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
            ])
        case "events", "events.events.k8s.io":
            fields.formUnion(["reason", "reportingComponent", "source", "type", "involvedObject.kind"])
            fields.formUnion(
                ["namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map {
                    "involvedObject.\($0)"
                })
            fields.formUnion(
                ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"]
                    .map { "regarding.\($0)" })
        case "secrets": fields.insert("type")
        case "nodes": fields.insert("spec.unschedulable")
        case "namespaces": fields.insert("status.phase")
        case "replicationcontrollers", "replicasets.apps": fields.insert("status.replicas")
        case "jobs.batch": fields.insert("status.successful")
        case "services": fields.formUnion(["spec.clusterIP", "spec.type"])
        case "certificatesigningrequests.certificates.k8s.io": fields.insert("spec.signerName")
        default: break
        }
        return fields
    }
}
