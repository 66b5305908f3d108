import KubernetesModel

/// Pods: their first status, their quality of service, and a deletion that leaves the node time to stop them.
struct PodStrategy: Strategy {
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        object.status = ["phase": "Pending", "qosClass": .string(Pod(object).qosClass.rawValue)]
        if !object.spec["schedulingGates"].items.isEmpty {
            object.status["conditions"] = [
                [
                    "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                ]
            ]
        }
    }

    func gracePeriod(of object: Object, requested: Int?) -> Int? {
        let phase = object.status["phase"].string
        let isScheduled = !(object.spec["nodeName"].string ?? "").isEmpty
        guard isScheduled, phase != "Succeeded", phase != "Failed" else { return 0 }
        let period = requested ?? object.spec["terminationGracePeriodSeconds"].int ?? 30
        return period < 0 ? 1 : period
    }

    /// A pod under deletion is the node's until the node deletes it with no grace period.
    func keeps(_ object: Object) -> Bool {
        object.isBeingDeleted && (object.metadata["deletionGracePeriodSeconds"].int ?? 0) > 0
    }

    var returnsDeletedObject: Bool { true }
    var countsGenerations: Bool { true }
}
