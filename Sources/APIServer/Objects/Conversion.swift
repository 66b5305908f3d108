import KubernetesModel

/// The same object in another version of its kind, where versions differ in more than their name.
enum Conversion {
    static func convert(_ object: Object, to type: ResourceType) -> Object {
        var converted = object
        converted["apiVersion"] = .string(type.apiVersion)
        switch (type.kind, type.apiVersion) {
        case ("Event", "events.k8s.io/v1"): rename(&converted, eventFields, backwards: false)
        case ("Event", _): rename(&converted, eventFields, backwards: true)
        case ("HorizontalPodAutoscaler", "autoscaling/v1"): autoscalerToV1(&converted)
        case ("HorizontalPodAutoscaler", _): autoscalerToV2(&converted)
        default: break
        }
        return converted
    }

    /// An event's fields in the core group, and in `events.k8s.io`.
    private static let eventFields = [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ]

    private static func rename(_ object: inout Object, _ fields: [(String, String)], backwards: Bool) {
        for (core, events) in fields {
            let (from, to) = backwards ? (events, core) : (core, events)
            let value = object[from]
            guard !value.isNull else { continue }
            object[from] = .null
            object[to] = value
        }
    }

    private static func autoscalerToV1(_ object: inout Object) {
        let cpu = object.spec["metrics"].items.first { $0["resource"]["name"].string == "cpu" }
        if let target = cpu?["resource"]["target"]["averageUtilization"] {
            object.spec["targetCPUUtilizationPercentage"] = target
        }
        object.spec["metrics"] = .null
        let current = object.status["currentMetrics"].items.first { $0["resource"]["name"].string == "cpu" }
        if let usage = current?["resource"]["current"]["averageUtilization"] {
            object.status["currentCPUUtilizationPercentage"] = usage
        }
        if !object.status.isNull {
            object.status["currentMetrics"] = .null
            object.status["conditions"] = .null
        }
    }

    private static func autoscalerToV2(_ object: inout Object) {
        let target = object.spec["targetCPUUtilizationPercentage"]
        guard !target.isNull else { return }
        object.spec["targetCPUUtilizationPercentage"] = .null
        object.spec["metrics"] = [
            [
                "type": "Resource",
                "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": target]],
            ]
        ]
    }
}
