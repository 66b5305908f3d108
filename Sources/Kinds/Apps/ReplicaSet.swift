import APIMachinery
import KubernetesModel

extension Kind {
    static let replicaSet = Kind(
        Group.apps.row("replicasets", "ReplicaSet", short: ["rs"], all: true, status: true, scale: true),
        defaults: { $0.json.change("spec", PodDefaults.replicated) },
        validate: { $0.scaled($1.spec, "deployment") }, validateUpdate: { $0.immutableSelector($1, old: $2) },
        validateSubresources: Validation.workloadStatus, columns: replicaSetColumns, strategy: .workload,
        selectableFields: ["status.replicas"])
}
