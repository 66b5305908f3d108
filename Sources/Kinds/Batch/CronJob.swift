import APIMachinery
import KubernetesModel

extension Kind {
    static let cronJob = Kind(
        Group.batch.row("cronjobs", "CronJob", short: ["cj"], all: true, status: true),
        // The names of its Jobs are its own with a suffix of 11 characters.
        name: { Names.subdomain($0) + ($0.utf8.count > 52 ? ["must be no more than 52 characters"] : []) },
        defaults: { cronJob in
            cronJob.json.change("spec") { spec in
                spec.fill("concurrencyPolicy", "Allow")
                spec.fill("suspend", false)
                spec.fill("successfulJobsHistoryLimit", 3)
                spec.fill("failedJobsHistoryLimit", 1)
                spec.change("jobTemplate") { template in
                    template.change("spec") { $0.change("template", PodDefaults.template) }
                }
            }
        },
        validate: { $0.cronJob($1.spec) },
        columns: Table.Columns(
            [.name, "Schedule", "Timezone", .boolean("Suspend"), .integer("Active"), "Last Schedule", .age]
                + Table.templateColumns
        ) { object, now in
            let last = object.status["lastScheduleTime"].string.flatMap(Timestamp.init)
            let job = object.spec["jobTemplate"]["spec"]
            return [
                .string(object.name), object.spec["schedule"], .string(object.spec["timeZone"].string ?? "<none>"),
                .string(object.spec["suspend"].bool == true ? "True" : "False"), Table.count(object.status["active"]),
                last.map { .string(Table.ago($0, now)) } ?? "<none>", object.age(now),
            ] + Table.containers(job["template"]) + [Table.selector(job["selector"])]
        },
        strategy: .counting, isReconciled: false)
}

extension Validation {
    fileprivate mutating func cronJob(_ spec: JSON) {
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
}
