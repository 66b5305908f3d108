import APIMachinery
import KubernetesModel

extension Group {
    static let storage = Group("storage.k8s.io", "v1")
}

/// The kinds of storage.k8s.io that have columns or defaults and little else.
extension Kind {
    static let csiDriver = Kind(
        Group.storage.row("csidrivers", "CSIDriver", namespaced: false),
        defaults: { driver in
            driver.json["spec"].fill("attachRequired", true)
            driver.json["spec"].fill("fsGroupPolicy", "ReadWriteOnceWithFSType")
            for field in ["podInfoOnMount", "requiresRepublish", "storageCapacity", "seLinuxMount"] {
                driver.json["spec"].fill(field, false)
            }
            if driver.spec["volumeLifecycleModes"].items.isEmpty {
                driver.spec["volumeLifecycleModes"] = ["Persistent"]
            }
        })

    static let csiNode = Kind(
        Group.storage.row("csinodes", "CSINode", namespaced: false),
        columns: Table.Columns([.name, .integer("Drivers"), .age]) { object, now in
            [.string(object.name), Table.count(object.spec["drivers"]), object.age(now)]
        })

    static let csiStorageCapacity = Kind(Group.storage.row("csistoragecapacities", "CSIStorageCapacity"))

    static let volumeAttachment = Kind(
        Group.storage.row("volumeattachments", "VolumeAttachment", namespaced: false, status: true),
        columns: Table.Columns([.name, "Attacher", "PV", "Node", .boolean("Attached"), .age]) { object, now in
            [
                .string(object.name), object.spec["attacher"],
                Table.text(object.spec["source"]["persistentVolumeName"]), object.spec["nodeName"],
                JSON(object.status["attached"].bool ?? false), object.age(now),
            ]
        },
        strategy: Strategy().keepingInStatus(Strategy.clientMetadata))
}
