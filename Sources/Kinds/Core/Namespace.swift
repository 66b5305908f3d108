import APIMachinery
import KubernetesModel

/// Namespaces end only when the namespace controller has emptied them and taken `kubernetes` off `spec.finalizers`.
extension Kind {
    static let namespace = Kind(
        Group.core.row(
            "namespaces", "Namespace", namespaced: false, short: ["ns"], status: true,
            verbs: ResourceInfo.allVerbs.filter { $0 != "deletecollection" },
            others: [ResourceInfo.Subresource("finalize", kind: "Namespace", verbs: ["update"])]),
        name: Names.label,
        defaults: { namespace in
            // `NamespaceDefaultLabelName`: what selectors of namespaces rely on.
            namespace.metadata["labels"]["kubernetes.io/metadata.name"] = .string(namespace.name)
            if namespace.spec["finalizers"].isNull, !namespace.isBeingDeleted {
                namespace.spec["finalizers"] = ["kubernetes"]
            }
            namespace.json["status"].fill("phase", "Active")
        },
        columns: Table.Columns([.name, "Status", .age]) { object, now in
            [.string(object.name), object.status["phase"], object.age(now)]
        },
        strategy: Strategy(
            prepareForCreate: { namespace in
                namespace.status = ["phase": "Active"]
                if !namespace.spec["finalizers"].strings.contains("kubernetes") {
                    namespace.spec["finalizers"].append("kubernetes")
                }
            },
            prepareForUpdate: { $0.spec["finalizers"] = $1.spec["finalizers"] },
            prepareForDelete: { $0.status["phase"] = "Terminating" },
            keeps: { !$0.spec["finalizers"].items.isEmpty }),
        selectableFields: ["status.phase"])
}
