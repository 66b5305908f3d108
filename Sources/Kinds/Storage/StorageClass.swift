import APIMachinery
import KubernetesModel

extension Kind {
    static let storageClass = Kind(
        Group.storage.row("storageclasses", "StorageClass", namespaced: false, short: ["sc"]),
        defaults: { storageClass in
            storageClass.json.fill("reclaimPolicy", "Delete")
            storageClass.json.fill("volumeBindingMode", "Immediate")
        },
        validate: { validation, object in
            if object["provisioner"].string?.isEmpty ?? true { validation.required("provisioner") }
            validation.oneOf("reclaimPolicy", object["reclaimPolicy"], ["Delete", "Retain"])
            validation.oneOf(
                "volumeBindingMode", object["volumeBindingMode"], ["Immediate", "WaitForFirstConsumer"], required: true)
        },
        validateUpdate: { validation, object, old in
            for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"]
            where object[field] != old[field] {
                validation.forbidden(field, "updates to \(field) are forbidden.")
            }
        },
        columns: Table.Columns([
            .name, "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", .age,
        ]) { object, now in
            let isDefault = object.annotations["storageclass.kubernetes.io/is-default-class"] == "true"
            return [
                .string(isDefault ? "\(object.name) (default)" : object.name), object["provisioner"],
                object["reclaimPolicy"], object["volumeBindingMode"],
                .string(object["allowVolumeExpansion"].bool == true ? "true" : "false"), object.age(now),
            ]
        })
}
