import APIMachinery
import KubernetesModel

/// What kinds with a selector and a template of pods have in common.
extension Validation {
    /// A selector and a template of pods that run for ever. `kind` is the kind's name in messages.
    /// `claims` are volumes that the pods get besides those of the template.
    mutating func scaled(_ spec: JSON, _ kind: String, claims: Set<String> = []) {
        notNegative("spec.replicas", spec["replicas"])
        notNegative("spec.minReadySeconds", spec["minReadySeconds"])
        let selector = spec["selector"]
        if selector.isNull {
            required("spec.selector")
        } else {
            self.selector(selector, "spec.selector")
            if selector["matchLabels"].object?.isEmpty ?? true, selector["matchExpressions"].items.isEmpty {
                invalid("spec.selector", selector, "empty selector is invalid for \(kind)")
            }
        }
        selectedTemplate(spec, selector: selector, claims: claims)
        if !spec["template"]["spec"]["activeDeadlineSeconds"].isNull, kind != "statefulset" {
            forbidden(
                "spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported")
        }
    }

    /// A template whose pods the selector matches.
    mutating func selectedTemplate(_ spec: JSON, selector: JSON, claims: Set<String> = []) {
        let template = spec["template"]
        guard !template.isNull else { return required("spec.template") }
        let labels = template["metadata"]["labels"]
        // Without a selector nothing is selected, so nothing matches either.
        if selector.isNull || !LabelSelector(selector).matches(labels.stringMap) {
            invalid(
                "spec.template.metadata.labels", labels.isNull ? [:] : labels,
                "`selector` does not match template `labels`")
        }
        podTemplate(template, "spec.template", claims: claims)
        oneOf("spec.template.spec.restartPolicy", template["spec"]["restartPolicy"], ["Always"])
    }

    mutating func immutableSelector(_ object: Object, old: Object) {
        immutable("spec.selector", object.spec["selector"], old: old.spec["selector"])
    }

    /// The counts of a workload's status.
    static let workloadStatus: [String: Kind.UpdateCheck] = [
        "status": { validation, object, _ in
            let status = object.status
            for field in ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "observedGeneration"] {
                validation.notNegative("status.\(field)", status[field])
            }
            guard let replicas = status["replicas"].int else { return }
            for field in ["readyReplicas", "availableReplicas", "updatedReplicas"] {
                if let count = status[field].int, count > replicas {
                    validation.invalid(
                        "status.\(field)", JSON(count), "cannot be greater than status.replicas")
                }
            }
        }
    ]
}

extension Table {
    static let templateColumns: [Column] = [.wide("Containers"), .wide("Images"), .wide("Selector")]

    static func templateCells(_ object: Object) -> [JSON] {
        containers(object.spec["template"]) + [selector(object.spec["selector"])]
    }
}

extension Kind {
    static let replicaSetColumns = Table.Columns(
        [.name, .integer("Desired"), .integer("Current"), .integer("Ready"), .age] + Table.templateColumns
    ) { object, now in
        let set = ReplicaSet(object)
        return [
            .string(object.name), JSON(set.replicas), JSON(set.currentReplicas), JSON(set.readyReplicas),
            object.age(now),
        ] + Table.templateCells(object)
    }
}
