import APIClient
import Kinds
import KubernetesModel

/// What a request does, as admission sees it: a patch is an update, and what a client opens a stream to (`pods/exec`,
/// `services/proxy`) is connected to.
enum AdmissionOperation: String, Sendable {
    case create = "CREATE"
    case update = "UPDATE"
    case delete = "DELETE"
    case connect = "CONNECT"
}

/// One request, as plug-ins see it.
struct AdmissionAttributes: Sendable {
    let operation: AdmissionOperation
    let resource: Kind
    let subresource: String?
    /// Nil for a cluster-scoped object.
    let namespace: String?
    /// Of the object that the request is about, also where it is about a subresource.
    let name: String
    /// The object as it is to be stored; for a subresource the one that was sent (`Binding`, `Scale`), for connecting
    /// its options (`PodExecOptions`). A deletion has no new object: it is the old one, and changes have no effect.
    var object: Object
    /// The object as it is stored: of updates and deletions.
    let oldObject: Object?
    let deleteOptions: DeleteOptions?
    let context: RequestContext

    var type: ResourceType { resource.type }
    var user: User { context.user }
    var dryRun: Bool { context.dryRun }

    init(
        _ operation: AdmissionOperation, _ request: ResourceRequest, name: String, object: Object,
        oldObject: Object? = nil, deleteOptions: DeleteOptions? = nil, _ context: RequestContext
    ) {
        self.operation = operation
        resource = request.resource
        subresource = request.subresource
        namespace = request.namespace
        self.name = name
        self.object = object
        self.oldObject = oldObject
        self.deleteOptions = deleteOptions
        self.context = context
    }

    /// The request's options in `meta/v1`'s form: `CreateOptions`, `UpdateOptions` or `DeleteOptions`; connecting has
    /// none but its object.
    var options: JSON {
        var options: JSON = ["apiVersion": "meta.k8s.io/v1"]
        if dryRun { options["dryRun"] = ["All"] }
        switch operation {
        case .connect: return .null
        case .delete:
            for (field, value) in deleteOptions?.json.object ?? [:] where field != "apiVersion" {
                options[field] = value
            }
            options["kind"] = "DeleteOptions"
        case .create, .update:
            options["kind"] = operation == .create ? "CreateOptions" : "UpdateOptions"
            options["fieldManager"] = .string(context.fieldManager)
            options["fieldValidation"] = .string(context.fieldValidation.rawValue)
        }
        return options
    }
}
