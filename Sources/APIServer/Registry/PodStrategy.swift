import KubernetesModel

/// Pods: their first status, their quality of service, and a deletion that leaves the node time to stop them.
struct PodStrategy: Strategy {
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        object.status = ["phase": "Pending", "qosClass": .string(QualityOfService.of(object))]
        object.spec["ephemeralContainers"] = .null
    }

    func prepareForUpdate(_ object: inout Object, old: Object, _ context: RequestContext) async throws(Status) {
        object.spec["nodeName"] = old.spec["nodeName"]
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
}

/// A pod's quality-of-service class, by its containers' requests and limits.
enum QualityOfService {
    static func of(_ pod: Object) -> String {
        let containers = pod.spec["containers"].items + pod.spec["initContainers"].items
        var isAnySet = false
        var isGuaranteed = true
        for container in containers {
            let requests = container["resources"]["requests"]
            let limits = container["resources"]["limits"]
            for resource in ["cpu", "memory"] {
                let request = Self.amount(requests[resource])
                let limit = Self.amount(limits[resource])
                if request != nil || limit != nil { isAnySet = true }
                if limit == nil || (request ?? limit) != limit { isGuaranteed = false }
            }
        }
        if !isAnySet { return "BestEffort" }
        return isGuaranteed ? "Guaranteed" : "Burstable"
    }

    /// An amount that counts: nil for none and for zero.
    private static func amount(_ json: JSON) -> Quantity? {
        guard let quantity = Quantity(json), !quantity.isZero else { return nil }
        return quantity
    }
}
