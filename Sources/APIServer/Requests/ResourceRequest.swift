import Kinds
import KubernetesModel

/// The resource, and the object or collection, of a request.
struct ResourceRequest: Sendable {
    let resource: Kind
    /// Nil for cluster-scoped objects, and for all namespaces.
    let namespace: String?
    let name: String?
    let subresource: String?
    /// What follows a `proxy` subresource.
    let rest: [String]
    /// Whether the path asks for a watch (`/api/v1/watch/pods`).
    let isWatch: Bool

    var type: ResourceType { resource.type }

    init(
        _ resource: Kind, namespace: String?, name: String? = nil, subresource: String? = nil,
        rest: [String] = [], isWatch: Bool = false
    ) {
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
        self.rest = rest
        self.isWatch = isWatch
    }
}

/// A request's user and options, for every step of the pipeline.
struct RequestContext: Sendable {
    enum FieldValidation: String, Sendable {
        case ignore = "Ignore"
        case warn = "Warn"
        case strict = "Strict"
    }

    let user: User
    var dryRun = false
    var fieldValidation = FieldValidation.warn
    var fieldManager = "unknown"
    /// Fields that the request's object has more than once.
    var duplicateFields: [String] = []
    let warnings = Warnings()
}
