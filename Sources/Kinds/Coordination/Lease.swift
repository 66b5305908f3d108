import APIMachinery
import KubernetesModel

extension Kind {
    static let lease = Kind(
        Group("coordination.k8s.io", "v1").row("leases", "Lease"),
        validate: { validation, lease in
            validation.positive("spec.leaseDurationSeconds", lease.spec["leaseDurationSeconds"])
            validation.notNegative("spec.leaseTransitions", lease.spec["leaseTransitions"])
        },
        columns: Table.Columns([.name, "Holder", .age]) { object, now in
            [.string(object.name), .string(object.spec["holderIdentity"].string ?? ""), object.age(now)]
        })
}
