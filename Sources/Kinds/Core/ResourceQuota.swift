import APIMachinery
import KubernetesModel

extension Kind {
    static let resourceQuota = Kind(
        Group.core.row("resourcequotas", "ResourceQuota", short: ["quota"], status: true),
        validate: { $0.quota($1.spec["hard"]) },
        columns: Table.Columns([.name, "Request", "Limit", .age]) { object, now in
            var requests: [String] = []
            var limits: [String] = []
            for (name, hard) in (object.status["hard"].object ?? [:]).sorted(by: { $0.key < $1.key }) {
                let used = object.status["used"][name].string ?? "0"
                let text = "\(name): \(used)/\(hard.string ?? "")"
                if name.hasPrefix("limits.") { limits.append(text) } else { requests.append(text) }
            }
            return [
                .string(object.name), .string(requests.joined(separator: ", ")),
                .string(limits.joined(separator: ", ")), object.age(now),
            ]
        },
        isReconciled: false)
}

extension Validation {
    private static let quotaResources: Set<String> = [
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods",
        "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
        "services.nodeports", "services.loadbalancers",
    ]

    fileprivate mutating func quota(_ hard: JSON) {
        for (name, value) in hard.object?.sorted(by: { $0.key < $1.key }) ?? [] {
            let path = "spec.hard[\(name)]"
            invalid(path, .string(name), each: Names.qualifiedName(name))
            let isPages = name.hasPrefix("hugepages-") || name.hasPrefix("requests.hugepages-")
            if !name.contains("/"), !isPages, !Self.quotaResources.contains(name) {
                invalid(path, .string(name), "must be a standard resource for quotas")
            }
            if let quantity = Quantity(value), quantity < Quantity(0) {
                invalid(path, .string(quantity.description), "must be greater than or equal to 0")
            }
        }
    }
}
