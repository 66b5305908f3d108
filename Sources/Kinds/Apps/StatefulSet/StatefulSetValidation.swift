import APIMachinery
import KubernetesModel

extension Validation {
    mutating func statefulSet(_ spec: JSON) {
        // Pods get a volume for each, under its name.
        let claims = spec["volumeClaimTemplates"].items.compactMap { $0["metadata"]["name"].string }
        scaled(spec, "statefulset", claims: Set(claims))
        if let policy = spec["podManagementPolicy"].string, !["OrderedReady", "Parallel"].contains(policy) {
            invalid("spec.podManagementPolicy", .string(policy), "must be 'OrderedReady' or 'Parallel'")
        }
        if let strategy = spec["updateStrategy"]["type"].string, !["RollingUpdate", "OnDelete"].contains(strategy) {
            invalid("spec.updateStrategy", spec["updateStrategy"], "must be 'RollingUpdate' or 'OnDelete'")
        }
        notNegative(
            "spec.updateStrategy.rollingUpdate.partition", spec["updateStrategy"]["rollingUpdate"]["partition"])
    }

    private static let mutableStatefulSetFields = [
        "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
    ]

    mutating func statefulSetUpdate(_ object: Object, old: Object) {
        func fixed(_ object: Object) -> [String: JSON] {
            (object.spec.object ?? [:]).filter { !Self.mutableStatefulSetFields.contains($0.key) }
        }
        if fixed(object) != fixed(old) {
            forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                    + "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                    + "'minReadySeconds' are forbidden")
        }
    }
}
