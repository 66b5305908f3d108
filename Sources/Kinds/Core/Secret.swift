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

extension Validation {
    fileprivate mutating func secret(_ object: Object) {
        // The values are Base64; the limit is on what they stand for.
        if keyedData(object) > Self.maxDataBytes / 3 * 4 + 4 { dataTooLong("data") }
        let needed: [String]
        switch object["type"].string {
        case "kubernetes.io/service-account-token":
            let name = "kubernetes.io/service-account.name"
            if object.annotations[name]?.isEmpty ?? true { required("metadata.annotations[\(name)]") }
            needed = []
        case "kubernetes.io/dockerconfigjson": needed = [".dockerconfigjson"]
        case "kubernetes.io/dockercfg": needed = [".dockercfg"]
        case "kubernetes.io/ssh-auth": needed = ["ssh-privatekey"]
        case "kubernetes.io/tls": needed = ["tls.crt", "tls.key"]
        case "kubernetes.io/basic-auth":
            let hasEither = !object["data"]["username"].isNull || !object["data"]["password"].isNull
            needed = hasEither ? [] : ["username", "password"]
        default: needed = []
        }
        for key in needed where object["data"][key].isNull { required("data[\(key)]") }
    }
}
