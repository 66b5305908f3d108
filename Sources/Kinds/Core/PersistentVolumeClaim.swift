import APIMachinery
import KubernetesModel

extension Kind {
    static let persistentVolumeClaim = Kind(
        Group.core.row("persistentvolumeclaims", "PersistentVolumeClaim", short: ["pvc"], status: true),
        defaults: { claim in
            claim.json["spec"].fill("volumeMode", "Filesystem")
            claim.json["status"].fill("phase", "Pending")
        },
        validate: { validation, claim in
            let spec = claim.spec
            if spec["accessModes"].items.isEmpty {
                validation.required("spec.accessModes", "at least 1 access mode is required")
            }
            validation.volumeModes(spec)
            if spec["resources"]["requests"]["storage"].isNull { validation.required("spec.resources[storage]") }
            validation.selector(spec["selector"], "spec.selector")
        },
        validateUpdate: { validation, claim, old in
            guard fixedPart(claim, old: old) != fixedPart(old, old: old) else { return }
            validation.forbidden(
                "spec",
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
                    + "claims")
        },
        columns: claimColumns, strategy: .unboundVolume, isReconciled: false)

    /// A claim's spec without what an update may change.
    private static func fixedPart(_ claim: Object, old: Object) -> JSON {
        var spec = claim.spec
        spec["resources"]["requests"] = .null
        if old.spec["volumeName"].string?.isEmpty ?? true { spec["volumeName"] = .null }
        if old.spec["storageClassName"].isNull { spec["storageClassName"] = .null }
        spec["volumeAttributesClassName"] = .null
        return spec
    }

    private static let claimColumns = Table.Columns([
        .name, "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", .age,
        .wide("VolumeMode"),
    ]) { object, now in
        let volume = object.spec["volumeName"].string ?? ""
        let isBound = !volume.isEmpty
        return [
            .string(object.name),
            .string(object.isBeingDeleted ? "Terminating" : object.status["phase"].string ?? ""), .string(volume),
            .string(isBound ? object.status["capacity"]["storage"].string ?? "" : ""),
            isBound ? Table.accessModes(object.status["accessModes"]) : "",
            .string(object.spec["storageClassName"].string ?? ""),
            .string(object.spec["volumeAttributesClassName"].string ?? "<unset>"), object.age(now),
            .string(object.spec["volumeMode"].string ?? "<unset>"),
        ]
    }
}
