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
        strategy: .workload)

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

extension Validation {
    fileprivate mutating func deployment(_ spec: JSON) {
        scaled(spec, "deployment")
        strategy(spec)
        notNegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
        notNegative("spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"])
        if let deadline = spec["progressDeadlineSeconds"].int, deadline <= spec["minReadySeconds"].int ?? 0 {
            invalid("spec.progressDeadlineSeconds", JSON(deadline), "must be greater than minReadySeconds")
        }
    }

    private mutating func strategy(_ spec: JSON) {
        let strategy = spec["strategy"]
        oneOf("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"])
        let rolling = strategy["rollingUpdate"]
        let path = "spec.strategy.rollingUpdate"
        if strategy["type"] == "Recreate" {
            if !rolling.isNull { forbidden(path, "may not be specified when strategy `type` is 'Recreate'") }
            return
        }
        intOrPercent(rolling["maxUnavailable"], "\(path).maxUnavailable", atMostAll: true)
        intOrPercent(rolling["maxSurge"], "\(path).maxSurge")
        func isZero(_ json: JSON) -> Bool { IntOrString(json)?.scaled(total: 100, roundUp: true) == 0 }
        if isZero(rolling["maxUnavailable"]), isZero(rolling["maxSurge"]) {
            invalid("\(path).maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
        }
    }
}
