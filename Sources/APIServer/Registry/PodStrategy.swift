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

    /// Of a pod's spec only what needs no restart of it can be changed.
    func validateUpdate(_ object: Object, old: Object) -> [FieldError] {
        func fixed(_ object: Object) -> JSON {
            var spec = object.spec
            for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] { spec[field] = .null }
            // Negative to one is allowed, so that a deletion can be sped up.
            spec["terminationGracePeriodSeconds"] = .null
            for list in ["containers", "initContainers"] {
                guard var containers = spec[list].array else { continue }
                for index in containers.indices { containers[index]["image"] = .null }
                spec[list] = .array(containers)
            }
            if let gates = old.spec["schedulingGates"].array, !gates.isEmpty {
                spec["nodeSelector"] = .null
                spec["affinity"] = .null
            }
            return spec
        }
        var errors: [FieldError] = []
        if object.spec["containers"].items.count != old.spec["containers"].items.count {
            errors.append(
                FieldError(.forbidden, "spec.containers", detail: "pod updates may not add or remove containers"))
        } else if fixed(object) != fixed(old) {
            errors.append(
                FieldError(
                    .forbidden, "spec",
                    detail: "pod updates may not change fields other than `spec.containers[*].image`,"
                        + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
                        + "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
                        + "set to 1 if it was previously negative)"))
        }
        return errors
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
