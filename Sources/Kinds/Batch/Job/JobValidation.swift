import APIMachinery
import KubernetesModel

extension Validation {
    mutating func job(_ spec: JSON, _ path: String) {
        for field in ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"]
        {
            notNegative("\(path).\(field)", spec[field])
        }
        oneOf("\(path).completionMode", spec["completionMode"], ["NonIndexed", "Indexed"])
        if spec["completionMode"] == "Indexed", spec["completions"].isNull {
            required("\(path).completions", "when completion mode is Indexed")
        }
        let at = "\(path).template"
        guard !spec["template"].isNull else { return required(at) }
        podTemplate(spec["template"], at)
        let policy = spec["template"]["spec"]["restartPolicy"]
        if policy == "Always" {
            required("\(at).spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"")
        } else {
            oneOf("\(at).spec.restartPolicy", policy, ["OnFailure", "Never"])
        }
        if spec["manualSelector"].bool == true {
            if spec["selector"].isNull { required("\(path).selector") }
            if !LabelSelector(spec["selector"]).matches(spec["template"]["metadata"]["labels"].stringMap) {
                invalid(
                    "\(at).metadata.labels", spec["template"]["metadata"]["labels"],
                    "`selector` does not match template `labels`")
            }
        }
    }

    mutating func jobUpdate(_ object: Object, old: Object) {
        for field in ["selector", "completionMode"] {
            immutable("spec.\(field)", object.spec[field], old: old.spec[field])
        }
        if object.spec["completionMode"] != "Indexed" {
            immutable("spec.completions", object.spec["completions"], old: old.spec["completions"])
        }
        // While suspended and never started, scheduling directives may change.
        let canChange = old.spec["suspend"].bool == true && old.status["startTime"].isNull
        if !canChange { immutable("spec.template", object.spec["template"], old: old.spec["template"]) }
    }
}
