import APIMachinery
import KubernetesModel

extension Kind {
    static let networkPolicy = Kind(
        Group.networking.row("networkpolicies", "NetworkPolicy", short: ["netpol"]),
        defaults: { $0.json.change("spec", policyDefaults) },
        validate: { validation, policy in
            validation.selector(policy.spec["podSelector"], "spec.podSelector")
            for (index, type) in policy.spec["policyTypes"].items.enumerated() {
                validation.oneOf("spec.policyTypes[\(index)]", type, ["Egress", "Ingress"])
            }
        },
        columns: Table.Columns([.name, "Pod-Selector", .age]) { object, now in
            [.string(object.name), Table.selector(object.spec["podSelector"]), object.age(now)]
        },
        strategy: .counting, isReconciled: false)

    private static func policyDefaults(_ spec: inout JSON) {
        for direction in ["ingress", "egress"] {
            spec.changeEach(direction) { $0.changeEach("ports") { $0.fill("protocol", "TCP") } }
        }
        if spec["policyTypes"].items.isEmpty {
            spec["policyTypes"] = spec["egress"].items.isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
        }
        if spec["podSelector"].isNull { spec["podSelector"] = [:] }
    }
}
