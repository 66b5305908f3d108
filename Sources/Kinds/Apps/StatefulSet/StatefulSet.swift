import APIMachinery
import KubernetesModel

extension Kind {
    static let statefulSet = Kind(
        Group.apps.row("statefulsets", "StatefulSet", short: ["sts"], all: true, status: true, scale: true),
        defaults: { $0.json.change("spec", statefulSetDefaults) }, validate: { $0.statefulSet($1.spec) },
        validateUpdate: { $0.statefulSetUpdate($1, old: $2) }, validateSubresources: Validation.workloadStatus,
        columns: Table.Columns([.name, "Ready", .age] + Table.templateColumns.dropLast()) { object, now in
            let set = StatefulSet(object)
            return [.string(object.name), .string("\(set.readyReplicas)/\(set.replicas)"), object.age(now)]
                + Table.containers(set.template)
        },
        strategy: .workload, isReconciled: false)

    private static func statefulSetDefaults(_ spec: inout JSON) {
        spec.fill("replicas", 1)
        spec.fill("revisionHistoryLimit", 10)
        spec.fill("podManagementPolicy", "OrderedReady")
        spec["updateStrategy"].fill("type", "RollingUpdate")
        if spec["updateStrategy"]["type"] == "RollingUpdate" {
            spec["updateStrategy"]["rollingUpdate"].fill("partition", 0)
        }
        spec["persistentVolumeClaimRetentionPolicy"].fill("whenDeleted", "Retain")
        spec["persistentVolumeClaimRetentionPolicy"].fill("whenScaled", "Retain")
        spec.changeEach("volumeClaimTemplates") { claim in
            claim.fill("apiVersion", "v1")
            claim.fill("kind", "PersistentVolumeClaim")
            claim["spec"].fill("volumeMode", "Filesystem")
            claim["status"].fill("phase", "Pending")
        }
        spec.change("template", PodDefaults.template)
    }
}
