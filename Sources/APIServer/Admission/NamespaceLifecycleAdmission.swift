import KubernetesModel
import Store

/// `NamespaceLifecycle`: nothing is created in a namespace that does not exist or is being deleted, and the namespaces
/// that every cluster needs are not deleted.
struct NamespaceLifecycleAdmission: MutatingAdmissionPlugin {
    private static let immortal: Set<String> = ["default", "kube-system", "kube-public"]

    let name = "NamespaceLifecycle"
    let store: any Store

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        guard subresource == nil else { return false }
        return switch operation {
        case .create: type.namespaced
        case .delete: type == .namespaces
        case .update, .connect: false
        }
    }

    func admit(_ attributes: inout AdmissionAttributes) throws(Status) {
        guard attributes.operation == .create else {
            guard Self.immortal.contains(attributes.name) else { return }
            throw .forbidden(attributes.type, attributes.name, "this namespace may not be deleted")
        }
        let name = attributes.object.namespace
        guard let namespace = store.object(.namespaces, name: name) else { throw .notFound(.namespaces, name) }
        guard namespace.isBeingDeleted || namespace.status["phase"].string == "Terminating" else { return }
        var status = Status.forbidden(
            attributes.type, attributes.name,
            "unable to create new content in namespace \(name) because it is being terminated")
        status.causes = [
            Status.Cause(
                reason: "NamespaceTerminating", message: "namespace \(name) is being terminated",
                field: "metadata.namespace")
        ]
        throw status
    }
}
