import APIMachinery
import KubernetesModel

extension Table.Printer {
    private typealias Column = Table.Column

    private static let templateColumns = [
        Column("Containers", wide: true), Column("Images", wide: true), Column("Selector", wide: true),
    ]

    private static func templateCells(_ object: Object) -> [JSON] {
        Table.containers(object.spec["template"]) + [Table.selector(object.spec["selector"])]
    }

    private static func number(_ json: JSON) -> JSON { JSON(json.int ?? 0) }

    static let workloads: [String: Table.Printer] = [
        "/Pod": Table.pods,
        "/PodTemplate": Table.Printer([
            .name, Column("Containers"), Column("Images"), Column("Pod Labels"),
        ]) { object, _ in
            [.string(object.name)] + Table.containers(object["template"])
                + [Table.selector(["matchLabels": object["template"]["metadata"]["labels"]])]
        },
        "apps/Deployment": Table.Printer(
            [
                .name, Column("Ready"), Column("Up-to-date"), Column("Available"), .age,
            ] + templateColumns
        ) { object, now in
            let deployment = Deployment(object)
            return [
                .string(object.name), .string("\(deployment.readyReplicas)/\(deployment.replicas)"),
                JSON(deployment.updatedReplicas), JSON(deployment.availableReplicas), object.age(now),
            ] + templateCells(object)
        },
        "apps/ReplicaSet": replicaSets,
        "/ReplicationController": Table.Printer(replicaSets.columns) { object, now in
            var cells = replicaSets.cells(object, now)
            cells[cells.count - 1] = Table.selector(["matchLabels": object.spec["selector"]])
            return cells
        },
        "apps/StatefulSet": Table.Printer(
            [.name, Column("Ready"), .age] + templateColumns.dropLast()
        ) { object, now in
            let set = StatefulSet(object)
            return [.string(object.name), .string("\(set.readyReplicas)/\(set.replicas)"), object.age(now)]
                + Table.containers(set.template)
        },
        "apps/DaemonSet": Table.Printer(
            [
                .name, Column("Desired", "integer"), Column("Current", "integer"), Column("Ready", "integer"),
                Column("Up-to-date", "integer"), Column("Available", "integer"), Column("Node Selector"), .age,
            ] + templateColumns
        ) { object, now in
            let status = object.status
            let nodes = object.spec["template"]["spec"]["nodeSelector"]
            return [
                .string(object.name), number(status["desiredNumberScheduled"]),
                number(status["currentNumberScheduled"]),
                number(status["numberReady"]), number(status["updatedNumberScheduled"]),
                number(status["numberAvailable"]), Table.selector(["matchLabels": nodes]), object.age(now),
            ] + templateCells(object)
        },
        "apps/ControllerRevision": Table.Printer([
            .name, Column("Controller"), Column("Revision"), .age,
        ]) { object, now in
            let controller = object.controller.map { owner -> String in
                let group =
                    owner.apiVersion.split(separator: "/").count > 1
                    ? ".\(owner.apiVersion.split(separator: "/")[0])" : ""
                return "\(owner.kind.lowercased())\(group)/\(owner.name)"
            }
            return [
                .string(object.name), .string(controller ?? "<none>"), .string("\(object["revision"].int ?? 0)"),
                object.age(now),
            ]
        },
        "batch/Job": jobs,
        "batch/CronJob": Table.Printer(
            [
                .name, Column("Schedule"), Column("Timezone"), Column("Suspend", "boolean"),
                Column("Active", "integer"), Column("Last Schedule"), .age,
            ] + templateColumns
        ) { object, now in
            let last = object.status["lastScheduleTime"].string.flatMap(Timestamp.init)
            let job = object.spec["jobTemplate"]["spec"]
            return [
                .string(object.name), object.spec["schedule"], .string(object.spec["timeZone"].string ?? "<none>"),
                .string(object.spec["suspend"].bool == true ? "True" : "False"),
                JSON(object.status["active"].items.count),
                last.map { .string(Table.ago($0, now)) } ?? "<none>", object.age(now),
            ] + Table.containers(job["template"]) + [Table.selector(job["selector"])]
        },
    ]

    private static let replicaSets = Table.Printer(
        [
            .name, Column("Desired", "integer"), Column("Current", "integer"), Column("Ready", "integer"), .age,
        ] + templateColumns
    ) { object, now in
        let set = ReplicaSet(object)
        return [
            .string(object.name), JSON(set.replicas), JSON(set.currentReplicas), JSON(set.readyReplicas),
            object.age(now),
        ] + templateCells(object)
    }

    private static let jobs = Table.Printer(
        [
            .name, Column("Status"), Column("Completions"), Column("Duration"), .age,
        ] + templateColumns
    ) { object, now in
        let succeeded = object.status["succeeded"].int ?? 0
        let completions: String
        if let wanted = object.spec["completions"].int {
            completions = "\(succeeded)/\(wanted)"
        } else {
            let parallelism = object.spec["parallelism"].int ?? 0
            completions = parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
        }
        var duration: JSON = ""
        if let start = object.status["startTime"].string.flatMap(Timestamp.init) {
            let end = object.status["completionTime"].string.flatMap(Timestamp.init) ?? now
            duration = .string(Table.duration(end.since(start)))
        }
        let status: JSON
        if object.isConditionTrue("Complete") {
            status = "Complete"
        } else if object.isConditionTrue("Failed") {
            status = "Failed"
        } else if object.isBeingDeleted {
            status = "Terminating"
        } else if object.isConditionTrue("Suspended") {
            status = "Suspended"
        } else if object.isConditionTrue("FailureTarget") {
            status = "FailureTarget"
        } else if object.isConditionTrue("SuccessCriteriaMet") {
            status = "SuccessCriteriaMet"
        } else {
            status = "Running"
        }
        return [.string(object.name), status, .string(completions), duration, object.age(now)] + templateCells(object)
    }
}
