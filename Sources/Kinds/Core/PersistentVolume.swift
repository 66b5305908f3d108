import APIMachinery
import KubernetesModel

extension Kind {
    static let persistentVolume = Kind(
        Group.core.row("persistentvolumes", "PersistentVolume", namespaced: false, short: ["pv"], status: true),
        defaults: { volume in
            volume.json["spec"].fill("volumeMode", "Filesystem")
            volume.json["spec"].fill("persistentVolumeReclaimPolicy", "Retain")
            volume.json["status"].fill("phase", "Pending")
        },
        validate: { validation, volume in
            let spec = volume.spec
            if spec["accessModes"].items.isEmpty { validation.required("spec.accessModes") }
            validation.volumeModes(spec)
            if spec["capacity"].object?.isEmpty ?? true { validation.required("spec.capacity") }
            validation.oneOf(
                "spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"],
                ["Delete", "Recycle", "Retain"])
        },
        columns: volumeColumns, strategy: .unboundVolume, isReconciled: false)

    private static let volumeColumns = Table.Columns([
        .name, "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass", "VolumeAttributesClass",
        "Reason", .age, .wide("VolumeMode"),
    ]) { object, now in
        let claim = object.spec["claimRef"]
        let name = claim.isNull ? "" : "\(claim["namespace"].string ?? "")/\(claim["name"].string ?? "")"
        return [
            .string(object.name), .string(object.spec["capacity"]["storage"].string ?? ""),
            Table.accessModes(object.spec["accessModes"]), object.spec["persistentVolumeReclaimPolicy"],
            .string(object.isBeingDeleted ? "Terminating" : object.status["phase"].string ?? ""), .string(name),
            .string(object.spec["storageClassName"].string ?? ""),
            .string(object.spec["volumeAttributesClassName"].string ?? "<unset>"),
            .string(object.status["reason"].string ?? ""), object.age(now),
            .string(object.spec["volumeMode"].string ?? "<unset>"),
        ]
    }
}

/// What volumes and the claims on them have in common.
extension Validation {
    mutating func volumeModes(_ spec: JSON) {
        for mode in spec["accessModes"].items {
            oneOf("spec.accessModes", mode, ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"])
        }
        oneOf("spec.volumeMode", spec["volumeMode"], ["Block", "Filesystem"])
    }
}

extension Strategy {
    /// Volumes and claims begin unbound.
    static let unboundVolume = Strategy(
        returnsDeletedObject: true, prepareForCreate: { $0.status = ["phase": "Pending"] })
}

extension Table {
    static func accessModes(_ json: JSON) -> JSON {
        let short = ["ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"]
        return .string(json.strings.map { short[$0] ?? $0 }.joined(separator: ","))
    }
}
