import APIMachinery
import KubernetesModel

extension Validation {
    mutating func workload(_ object: Object, _ type: ResourceType) {
        let spec = object.spec
        switch type.kind {
        case "Deployment":
            scaled(spec, "deployment")
            deploymentStrategy(spec)
            notNegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
            notNegative("spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"])
            if let deadline = spec["progressDeadlineSeconds"].int, deadline <= spec["minReadySeconds"].int ?? 0 {
                invalid("spec.progressDeadlineSeconds", JSON(deadline), "must be greater than minReadySeconds")
            }
        case "ReplicaSet": scaled(spec, "deployment")
        case "StatefulSet":
            scaled(spec, "statefulset")
            if let policy = spec["podManagementPolicy"].string, !["OrderedReady", "Parallel"].contains(policy) {
                invalid("spec.podManagementPolicy", .string(policy), "must be 'OrderedReady' or 'Parallel'")
            }
            if let strategy = spec["updateStrategy"]["type"].string, !["RollingUpdate", "OnDelete"].contains(strategy) {
                invalid("spec.updateStrategy", spec["updateStrategy"], "must be 'RollingUpdate' or 'OnDelete'")
            }
            notNegative(
                "spec.updateStrategy.rollingUpdate.partition", spec["updateStrategy"]["rollingUpdate"]["partition"])
        case "DaemonSet":
            scaled(spec, "daemonset")
            oneOf("spec.updateStrategy.type", spec["updateStrategy"]["type"], ["RollingUpdate", "OnDelete"])
        case "ReplicationController":
            notNegative("spec.replicas", spec["replicas"])
            if spec["selector"].object?.isEmpty ?? true { required("spec.selector") }
            template(spec, selector: ["matchLabels": spec["selector"]], restart: ["Always"])
        case "Job": job(spec, "spec")
        case "CronJob": cronJob(spec)
        default: break
        }
    }

    /// What kinds with a selector and a template of ever-running pods have in common.
    private mutating func scaled(_ spec: JSON, _ kind: String) {
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
        template(spec, selector: selector, restart: ["Always"])
        if !spec["template"]["spec"]["activeDeadlineSeconds"].isNull, kind != "statefulset" {
            forbidden(
                "spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported")
        }
    }

    private mutating func template(_ spec: JSON, selector: JSON, restart: [String]) {
        let template = spec["template"]
        guard !template.isNull else { return required("spec.template") }
        let labels = template["metadata"]["labels"]
        // Without a selector nothing is selected, so nothing matches either.
        if selector.isNull || !LabelSelector(selector).matches(labels.stringMap) {
            invalid(
                "spec.template.metadata.labels", labels.isNull ? [:] : labels,
                "`selector` does not match template `labels`")
        }
        podTemplate(template, "spec.template")
        oneOf("spec.template.spec.restartPolicy", template["spec"]["restartPolicy"], restart)
    }

    private mutating func deploymentStrategy(_ spec: JSON) {
        let strategy = spec["strategy"]
        oneOf("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"])
        let rolling = strategy["rollingUpdate"]
        let path = "spec.strategy.rollingUpdate"
        if strategy["type"] == "Recreate" {
            if !rolling.isNull { forbidden(path, "may not be specified when strategy `type` is 'Recreate'") }
            return
        }
        intOrPercent(rolling["maxUnavailable"], "\(path).maxUnavailable", atMostAll: true)
        intOrPercent(rolling["maxSurge"], "\(path).maxSurge")
        func isZero(_ json: JSON) -> Bool { IntOrString(json)?.scaled(total: 100, roundUp: true) == 0 }
        if isZero(rolling["maxUnavailable"]), isZero(rolling["maxSurge"]) {
            invalid("\(path).maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
        }
    }

    mutating func intOrPercent(_ value: JSON, _ path: String, atMostAll: Bool = false) {
        switch value {
        case .string(let text):
            guard let percent = IntOrString.string(text).percent else {
                return invalid(
                    path, value,
                    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
                        + "used for validation is '[0-9]+%')")
            }
            if atMostAll, percent > 100 { invalid(path, value, "must not be greater than 100%") }
        default: notNegative(path, value)
        }
    }

    private mutating func job(_ spec: JSON, _ path: String) {
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

    private mutating func cronJob(_ spec: JSON) {
        let schedule = spec["schedule"].string ?? ""
        if schedule.isEmpty {
            required("spec.schedule")
        } else if schedule.hasPrefix("TZ=") || schedule.hasPrefix("CRON_TZ=") {
            invalid(
                "spec.schedule", .string(schedule), "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        } else if !schedule.hasPrefix("@") {
            let count = schedule.split(separator: " ").count
            if count != 5 {
                invalid("spec.schedule", .string(schedule), "expected exactly 5 fields, found \(count): [\(schedule)]")
            }
        }
        oneOf("spec.concurrencyPolicy", spec["concurrencyPolicy"], ["Allow", "Forbid", "Replace"])
        for field in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
            notNegative("spec.\(field)", spec[field])
        }
        job(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec")
    }

    mutating func workloadUpdate(_ object: Object, old: Object, _ type: ResourceType) {
        switch type.kind {
        case "Deployment", "ReplicaSet", "DaemonSet":
            immutable("spec.selector", object.spec["selector"], old: old.spec["selector"])
        case "StatefulSet":
            let free = [
                "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
            ]
            func fixed(_ object: Object) -> [String: JSON] {
                (object.spec.object ?? [:]).filter { !free.contains($0.key) }
            }
            if fixed(object) != fixed(old) {
                forbidden(
                    "spec",
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                        + "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                        + "'minReadySeconds' are forbidden")
            }
        case "Job":
            for field in ["selector", "completionMode"] {
                immutable("spec.\(field)", object.spec[field], old: old.spec[field])
            }
            if object.spec["completionMode"] != "Indexed" {
                immutable("spec.completions", object.spec["completions"], old: old.spec["completions"])
            }
            // While suspended and never started, scheduling directives may change.
            let canChange = old.spec["suspend"].bool == true && old.status["startTime"].isNull
            if !canChange { immutable("spec.template", object.spec["template"], old: old.spec["template"]) }
        case "ControllerRevision": immutable("data", object["data"], old: old["data"])
        default: break
        }
    }

    mutating func workloadStatus(_ object: Object) {
        for field in ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "observedGeneration"] {
            notNegative("status.\(field)", object.status[field])
        }
        guard let replicas = object.status["replicas"].int else { return }
        for field in ["readyReplicas", "availableReplicas", "updatedReplicas"] {
            if let count = object.status[field].int, count > replicas {
                invalid("status.\(field)", JSON(count), "cannot be greater than status.replicas")
            }
        }
    }
}
