import APIMachinery
import KubernetesModel

extension Group {
    static let batch = Group("batch", "v1")
}

extension Kind {
    static let job = Kind(
        Group.batch.row("jobs", "Job", all: true, status: true),
        defaults: { $0.json.change("spec", jobDefaults) }, validate: { $0.job($1.spec, "spec") },
        validateUpdate: { $0.jobUpdate($1, old: $2) }, columns: jobColumns,
        strategy: Strategy(countsGenerations: true, prepareForCreate: prepareJob),
        selectableFields: SelectableFields(["status.successful"]) { "field label \"\($0)\" not supported for Job" },
        isReconciled: false)

    private static func jobDefaults(_ spec: inout JSON) {
        if spec["completions"].isNull, spec["parallelism"].isNull { spec["completions"] = 1 }
        spec.fill("parallelism", 1)
        spec.fill("backoffLimit", spec["backoffLimitPerIndex"].isNull ? 6 : 2_147_483_647)
        spec.fill("completionMode", "NonIndexed")
        spec.fill("suspend", false)
        spec.fill("podReplacementPolicy", spec["podFailurePolicy"].isNull ? "TerminatingOrFailed" : "Failed")
        spec.change("podFailurePolicy") { policy in
            policy.changeEach("rules") { rule in
                rule.changeEach("onPodConditions") { $0.fill("status", "True") }
            }
        }
        spec.change("template", PodDefaults.template)
    }

    /// Jobs find their pods by a label with their own UID, unless they say otherwise.
    @Sendable private static func prepareJob(_ job: inout Object) {
        job.status = [:]
        guard job.spec["manualSelector"].bool != true else { return }
        let labels = [
            "batch.kubernetes.io/controller-uid": job.uid, "controller-uid": job.uid,
            "batch.kubernetes.io/job-name": job.name, "job-name": job.name,
        ]
        for (key, value) in labels { job.spec["template"]["metadata"]["labels"][key] = .string(value) }
        if job.spec["selector"].isNull {
            job.spec["selector"] = ["matchLabels": ["batch.kubernetes.io/controller-uid": .string(job.uid)]]
        }
    }

    private static let jobColumns = Table.Columns(
        [.name, "Status", "Completions", "Duration", .age] + Table.templateColumns
    ) { object, now in
        let succeeded = object.status["succeeded"].int ?? 0
        let completions: String
        if let needed = object.spec["completions"].int {
            completions = "\(succeeded)/\(needed)"
        } else {
            let parallelism = object.spec["parallelism"].int ?? 0
            completions = parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
        }
        var duration: JSON = ""
        if let start = object.status["startTime"].string.flatMap(Timestamp.init) {
            let end = object.status["completionTime"].string.flatMap(Timestamp.init) ?? now
            duration = .string(Table.duration(end.since(start)))
        }
        return [
            .string(object.name), .string(state(of: object)), .string(completions), duration, object.age(now),
        ] + Table.templateCells(object)
    }

    private static func state(of job: Object) -> String {
        if let end = ["Complete", "Failed"].first(where: job.isConditionTrue) { return end }
        if job.isBeingDeleted { return "Terminating" }
        return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].first(where: job.isConditionTrue) ?? "Running"
    }
}

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

    fileprivate mutating func jobUpdate(_ object: Object, old: Object) {
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
