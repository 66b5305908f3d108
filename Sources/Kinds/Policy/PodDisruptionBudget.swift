import APIMachinery
import KubernetesModel

extension Kind {
    static let podDisruptionBudget = Kind(
        Group("policy", "v1").row("poddisruptionbudgets", "PodDisruptionBudget", short: ["pdb"], status: true),
        validate: { validation, budget in
            let spec = budget.spec
            if !spec["minAvailable"].isNull, !spec["maxUnavailable"].isNull {
                validation.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
            }
            validation.intOrPercent(spec["minAvailable"], "spec.minAvailable", atMostAll: true)
            validation.intOrPercent(spec["maxUnavailable"], "spec.maxUnavailable", atMostAll: true)
            validation.selector(spec["selector"], "spec.selector")
        },
        columns: Table.Columns([
            .name, "Min Available", "Max Unavailable", .integer("Allowed Disruptions"), .age,
        ]) { object, now in
            [
                .string(object.name), Table.text(object.spec["minAvailable"], absent: "N/A"),
                Table.text(object.spec["maxUnavailable"], absent: "N/A"),
                Table.number(object.status["disruptionsAllowed"]), object.age(now),
            ]
        },
        strategy: .counting)
}
