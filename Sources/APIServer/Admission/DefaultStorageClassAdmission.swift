import KubernetesModel
import Store

/// `DefaultStorageClass`: gives a claim that names no storage class the default one.
struct DefaultStorageClassAdmission: MutatingAdmissionPlugin {
    let name = "DefaultStorageClass"
    let store: any Store

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        operation == .create && type == .persistentVolumeClaims && subresource == nil
    }

    func admit(_ attributes: inout AdmissionAttributes) {
        guard attributes.object.spec["storageClassName"].isNull else { return }
        let marked = store.objects(.storageClasses).filter {
            $0.annotations["storageclass.kubernetes.io/is-default-class"] == "true"
        }
        // The newest of several.
        let newest = marked.max { ($0.creationTimestamp?.seconds ?? 0) < ($1.creationTimestamp?.seconds ?? 0) }
        if let newest { attributes.object.spec["storageClassName"] = .string(newest.name) }
    }
}
