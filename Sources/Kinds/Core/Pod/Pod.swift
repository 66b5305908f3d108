import APIMachinery
import KubernetesModel

extension Kind {
    static let pod = Kind(
        Group.core.row(
            "pods", "Pod", short: ["po"], all: true, status: true,
            others: [
                ResourceInfo.Subresource("attach", kind: "PodAttachOptions", verbs: ["create", "get"]),
                ResourceInfo.Subresource("binding", kind: "Binding", verbs: ["create"]),
                ResourceInfo.Subresource(
                    "ephemeralcontainers", kind: "Pod", verbs: ResourceInfo.Subresource.readAndWrite),
                ResourceInfo.Subresource(
                    "eviction", kind: "Eviction", group: "policy", version: "v1", verbs: ["create"]),
                ResourceInfo.Subresource("exec", kind: "PodExecOptions", verbs: ["create", "get"]),
                ResourceInfo.Subresource("log", kind: "Pod", verbs: ["get"]),
                ResourceInfo.Subresource("portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"]),
                .proxy("PodProxyOptions"),
                ResourceInfo.Subresource("resize", kind: "Pod", verbs: ResourceInfo.Subresource.readAndWrite),
            ]),
        defaults: { PodDefaults.pod(&$0) },
        validate: { $0.podSpec($1.spec, "spec") },
        validateCreate: { validation, pod in
            if !pod.spec["ephemeralContainers"].items.isEmpty {
                validation.forbidden("spec.ephemeralContainers", "cannot be set on create")
            }
        },
        validateUpdate: { $0.podUpdate($1, old: $2) },
        validateSubresources: [
            "status": { validation, pod, _ in validation.podAddresses(pod.status) },
            "ephemeralcontainers": { validation, pod, old in
                validation.podSpec(pod.spec, "spec")
                validation.ephemeralContainersUpdate(pod, old: old)
            },
        ],
        columns: podColumns, strategy: podStrategy.keepingInStatus(["ownerReferences"]),
        selectableFields: [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
        ])

    private static let podColumns = Table.Columns([
        .name, Table.Column("Ready", description: "Containers that are ready, of all."),
        Table.Column("Status", description: "What the pod and its containers are doing."),
        Table.Column("Restarts", description: "How often containers were restarted, and when last."), .age,
        .wide("IP"), .wide("Node"), .wide("Nominated Node"), .wide("Readiness Gates"),
    ]) { object, now in
        let pod = Pod(object)
        let summary = PodSummary(pod)
        var restarts = String(summary.restarts)
        if summary.restarts > 0, let last = summary.lastRestart { restarts += " (\(Table.ago(last, now)) ago)" }
        let gates = pod.spec["readinessGates"].items.compactMap { $0["conditionType"].string }
        let open = gates.filter { object.isConditionTrue($0) }.count
        return [
            .string(object.name), .string("\(summary.ready)/\(summary.total)"), .string(summary.status),
            .string(restarts), object.age(now), .string(pod.podIP ?? "<none>"), .string(pod.nodeName ?? "<none>"),
            .string(pod.status["nominatedNodeName"].string ?? "<none>"),
            gates.isEmpty ? "<none>" : .string("\(open)/\(gates.count)"),
        ]
    }

    /// A pod's first status, and a deletion that leaves the node time to stop it.
    private static let podStrategy = Strategy(
        countsGenerations: true, returnsDeletedObject: true,
        prepareForCreate: { pod in
            pod.status = ["phase": "Pending", "qosClass": .string(Pod(pod).qosClass.rawValue)]
            guard !pod.spec["schedulingGates"].items.isEmpty else { return }
            pod.status["conditions"] = [
                [
                    "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                ]
            ]
        },
        gracePeriod: { pod, requested in
            let phase = pod.status["phase"].string
            let isScheduled = !(pod.spec["nodeName"].string ?? "").isEmpty
            guard isScheduled, phase != "Succeeded", phase != "Failed" else { return 0 }
            let period = requested ?? pod.spec["terminationGracePeriodSeconds"].int ?? 30
            return period < 0 ? 1 : period
        },
        // A pod under deletion is the node's until the node deletes it with no grace period.
        keeps: { $0.isBeingDeleted && ($0.metadata["deletionGracePeriodSeconds"].int ?? 0) > 0 })
}
