import APIMachinery
import KubernetesModel

extension Kind {
    static let secret = Kind(
        Group.core.row("secrets", "Secret"),
        defaults: { $0.json.fill("type", "Opaque") },
        validate: { $0.secret($1) },
        validateUpdate: { validation, object, old in
            validation.immutable("type", object["type"], old: old["type"])
            validation.keyedDataUpdate(object, old: old)
        },
        columns: Table.Columns([.name, "Type", "Data", .age]) { object, now in
            [.string(object.name), object["type"], JSON(object["data"].object?.count ?? 0), object.age(now)]
        },
        strategy: Strategy(
            prepareForCreate: { encodeStringData(of: &$0) },
            prepareForUpdate: { secret, _ in encodeStringData(of: &secret) }),
        selectableFields: ["type"])

    /// `stringData` can only be written: its texts end up in `data`, in Base64.
    private static func encodeStringData(of secret: inout Object) {
        guard !secret["stringData"].isNull else { return }
        for (key, text) in secret["stringData"].stringMap {
            secret["data"][key] = .string(Base64.encode(text.utf8))
        }
        secret["stringData"] = .null
    }
}
