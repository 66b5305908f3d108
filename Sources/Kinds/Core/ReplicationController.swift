import APIMachinery
import KubernetesModel

extension Kind {
    static let replicationController = Kind(
        Group.core.row(
            "replicationcontrollers", "ReplicationController", short: ["rc"], all: true, status: true, scale: true),
        defaults: { controller in
            let labels = controller.spec["template"]["metadata"]["labels"]
            if labels.object?.isEmpty == false {
                controller.json["spec"].fill("selector", labels)
                controller.json["metadata"].fill("labels", labels)
            }
            controller.json.change("spec", PodDefaults.replicated)
        },
        validate: { validation, controller in
            let spec = controller.spec
            validation.notNegative("spec.replicas", spec["replicas"])
            if spec["selector"].object?.isEmpty ?? true { validation.required("spec.selector") }
            validation.selectedTemplate(spec, selector: ["matchLabels": spec["selector"]])
        },
        validateSubresources: Validation.workloadStatus,
        columns: Table.Columns(replicaSetColumns.definitions) { object, now in
            var cells = replicaSetColumns.cells(object, now)
            cells[cells.count - 1] = Table.selector(["matchLabels": object.spec["selector"]])
            return cells
        },
        strategy: .workload, selectableFields: ["status.replicas"])
}
