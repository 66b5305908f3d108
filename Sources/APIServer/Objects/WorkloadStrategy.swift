import KubernetesModel

/// Deployments and the other kinds that make pods: they count generations and begin with an empty status.
struct WorkloadStrategy: Strategy {
    var countsGenerations: Bool { true }

    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        object.status = [:]
    }
}

/// Jobs find their pods by a label with their own UID, unless they say otherwise.
struct JobStrategy: Strategy {
    var countsGenerations: Bool { true }

    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        object.status = [:]
        guard object.spec["manualSelector"].bool != true else { return }
        let labels = [
            "batch.kubernetes.io/controller-uid": object.uid, "controller-uid": object.uid,
            "batch.kubernetes.io/job-name": object.name, "job-name": object.name,
        ]
        for (key, value) in labels { object.spec["template"]["metadata"]["labels"][key] = .string(value) }
        if object.spec["selector"].isNull {
            object.spec["selector"] = ["matchLabels": ["batch.kubernetes.io/controller-uid": .string(object.uid)]]
        }
    }
}
