import APIMachinery
import KubernetesModel

/// What ConfigMaps and Secrets have in common: values under keys, and a size limit.
extension Validation {
    static let maxDataBytes = 1_048_576

    /// Checks the keys, and returns how many bytes the values have as they are written.
    mutating func keyedData(_ object: Object) -> Int {
        var size = 0
        for list in ["data", "binaryData"] {
            for (key, value) in object[list].object?.sorted(by: { $0.key < $1.key }) ?? [] {
                invalid("\(list)[\(key)]", .string(key), each: Names.configMapKey(key))
                size += value.string?.utf8.count ?? 0
                if list == "binaryData", !object["data"][key].isNull {
                    invalid("data[\(key)]", .string(key), "duplicate of key present in data")
                }
            }
        }
        return size
    }

    mutating func dataTooLong(_ path: String) {
        add(FieldError(.tooLong, path, detail: "may not be more than \(Self.maxDataBytes) bytes"))
    }

    mutating func keyedDataUpdate(_ object: Object, old: Object) {
        guard old["immutable"].bool == true else { return }
        let detail = "field is immutable when `immutable` is set"
        if object["immutable"].bool != true { forbidden("immutable", detail) }
        for list in ["data", "binaryData"] where object[list] != old[list] { forbidden(list, detail) }
    }
}
