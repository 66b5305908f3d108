import APIMachinery
import KubernetesModel

extension Kind {
    static let serviceAccount = Kind(
        Group.core.row(
            "serviceaccounts", "ServiceAccount", short: ["sa"],
            others: [
                ResourceInfo.Subresource(
                    "token", kind: "TokenRequest", group: "authentication.k8s.io", version: "v1", verbs: ["create"])
            ]),
        columns: Table.Columns([.name, "Secrets", .age]) { object, now in
            [.string(object.name), Table.count(object["secrets"]), object.age(now)]
        },
        strategy: Strategy(returnsDeletedObject: true))
}

/// Why a service account's token cannot last so many seconds; nil where it can.
package func tokenLifetimeFault(_ seconds: Int) -> String? {
    if seconds < 600 { return "may not specify a duration less than 10 minutes" }
    return seconds > 1 << 32 ? "may not specify a duration larger than 2^32 seconds" : nil
}
