import APIMachinery
import KubernetesModel

extension Kind {
    static let daemonSet = Kind(
        Group.apps.row("daemonsets", "DaemonSet", short: ["ds"], all: true, status: true),
        defaults: { set in
            set.json.change("spec") { spec in
                spec.fill("revisionHistoryLimit", 10)
                spec["updateStrategy"].fill("type", "RollingUpdate")
                if spec["updateStrategy"]["type"] == "RollingUpdate" {
                    spec["updateStrategy"]["rollingUpdate"].fill("maxUnavailable", 1)
                    spec["updateStrategy"]["rollingUpdate"].fill("maxSurge", 0)
                }
                spec.change("template", PodDefaults.template)
            }
        },
        validate: { validation, set in
            validation.scaled(set.spec, "daemonset")
            validation.oneOf(
                "spec.updateStrategy.type", set.spec["updateStrategy"]["type"], ["RollingUpdate", "OnDelete"])
        },
        validateUpdate: { $0.immutableSelector($1, old: $2) }, validateSubresources: Validation.workloadStatus,
        columns: Table.Columns(
            [
                .name, .integer("Desired"), .integer("Current"), .integer("Ready"), .integer("Up-to-date"),
                .integer("Available"), "Node Selector", .age,
            ] + Table.templateColumns
        ) { object, now in
            let status = object.status
            let nodes = object.spec["template"]["spec"]["nodeSelector"]
            return [
                .string(object.name), Table.number(status["desiredNumberScheduled"]),
                Table.number(status["currentNumberScheduled"]), Table.number(status["numberReady"]),
                Table.number(status["updatedNumberScheduled"]), Table.number(status["numberAvailable"]),
                Table.selector(["matchLabels": nodes]), object.age(now),
            ] + Table.templateCells(object)
        },
        strategy: .workload, isReconciled: false)
}
