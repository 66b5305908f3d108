import APIMachinery
import KubernetesModel

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
