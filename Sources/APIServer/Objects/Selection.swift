import Kinds
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
    init(labels: String?, fields: String?, name: String? = nil, _ kind: Kind) throws(Status) {
        self.labels = try labels.map { text throws(Status) in try LabelSelector(parsing: text) } ?? .everything
        var selector = try fields.map { text throws(Status) in try FieldSelector(parsing: text) } ?? .everything
        if let name {
            selector = FieldSelector(selector.requirements + [FieldSelector.Requirement("metadata.name", name)])
        }
        for requirement in selector.requirements {
            if let fault = kind.selectionFault(requirement.path) { throw .badRequest(fault) }
        }
        self.fields = FieldSelector(
            selector.requirements.map { requirement in
                FieldSelector.Requirement(
                    kind.storedName(ofField: requirement.path), requirement.value, negated: requirement.negated)
            })
    }

    var isEverything: Bool { labels.isEmpty && fields.isEmpty }

    func matches(_ object: Object) -> Bool {
        (labels.isEmpty || labels.matches(object.labels)) && (fields.isEmpty || fields.matches(object))
    }

    /// The only name that can be selected, where the selector requires one; it is read without a list.
    var name: String? { fields.requiredValue("metadata.name") }
}
