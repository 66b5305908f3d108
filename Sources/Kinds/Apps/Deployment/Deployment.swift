import APIMachinery
import KubernetesModel

extension Kind {
    static let deployment = Kind(
        Group.apps.row("deployments", "Deployment", short: ["deploy"], all: true, status: true, scale: true),
        defaults: { $0.json.change("spec", deploymentDefaults) }, validate: { $0.deployment($1.spec) },
        validateUpdate: { $0.immutableSelector($1, old: $2) }, validateSubresources: Validation.workloadStatus,
        columns: Table.Columns([.name, "Ready", "Up-to-date", "Available", .age] + Table.templateColumns) {
            object, now in
            let deployment = Deployment(object)
            return [
                .string(object.name), .string("\(deployment.readyReplicas)/\(deployment.replicas)"),
                JSON(deployment.updatedReplicas), JSON(deployment.availableReplicas), object.age(now),
            ] + Table.templateCells(object)
        },
        strategy: .workload.keepingInStatus(["labels"]))

    private static func deploymentDefaults(_ spec: inout JSON) {
        spec.fill("replicas", 1)
        spec.fill("revisionHistoryLimit", 10)
        spec.fill("progressDeadlineSeconds", 600)
        var strategy = spec["strategy"].object.map(JSON.object) ?? [:]
        strategy.fill("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate" {
            strategy["rollingUpdate"].fill("maxUnavailable", "25%")
            strategy["rollingUpdate"].fill("maxSurge", "25%")
        }
        spec["strategy"] = strategy
        spec.change("template", PodDefaults.template)
    }
}
