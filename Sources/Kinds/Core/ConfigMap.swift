import APIMachinery
import KubernetesModel

extension Kind {
    static let configMap = Kind(
        Group.core.row("configmaps", "ConfigMap", short: ["cm"]),
        validate: { validation, object in
            if validation.keyedData(object) > Validation.maxDataBytes { validation.dataTooLong("") }
        },
        validateUpdate: { $0.keyedDataUpdate($1, old: $2) },
        columns: Table.Columns([.name, "Data", .age]) { object, now in
            let count = (object["data"].object?.count ?? 0) + (object["binaryData"].object?.count ?? 0)
            return [.string(object.name), JSON(count), object.age(now)]
        })
}
