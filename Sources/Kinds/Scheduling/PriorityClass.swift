import APIMachinery
import KubernetesModel

extension Kind {
    static let priorityClass = Kind(
        Group("scheduling.k8s.io", "v1").row("priorityclasses", "PriorityClass", namespaced: false, short: ["pc"]),
        defaults: { $0.json.fill("preemptionPolicy", "PreemptLowerPriority") },
        validate: { validation, object in
            let isSystem = object.name.hasPrefix("system-")
            if !isSystem, (object["value"].int ?? 0) > 1_000_000_000 {
                validation.forbidden("value", "maximum allowed value of a user defined priority is 1000000000")
            }
            validation.oneOf("preemptionPolicy", object["preemptionPolicy"], ["Never", "PreemptLowerPriority"])
        },
        validateUpdate: { validation, object, old in
            if object["value"] != old["value"] { validation.forbidden("value", "may not be changed in an update.") }
        },
        columns: Table.Columns([.name, .integer("Value"), .boolean("Global-Default"), .age, "PreemptionPolicy"]) {
            object, now in
            [
                .string(object.name), object["value"], JSON(object["globalDefault"].bool ?? false), object.age(now),
                object["preemptionPolicy"],
            ]
        })
}
