import APIMachinery
import KubernetesModel

/// Autoscalers are served in two versions, which differ in their metrics, and stored as the current one.
extension Kind {
    static let horizontalPodAutoscaler = Kind(
        Group("autoscaling", "v2").row(
            "horizontalpodautoscalers", "HorizontalPodAutoscaler", short: ["hpa"], all: true, status: true),
        defaults: { autoscaler in
            autoscaler.json.change("spec") { spec in
                spec.fill("minReplicas", 1)
                if spec["metrics"].items.isEmpty { spec["metrics"] = [utilization(80)] }
            }
        },
        validate: { $0.autoscaler($1.spec) }, columns: autoscalerColumns, convert: fromFirst, isReconciled: false)

    static let firstHorizontalPodAutoscaler = Kind(
        Group("autoscaling", "v1").row(
            "horizontalpodautoscalers", "HorizontalPodAutoscaler", short: ["hpa"], all: true, status: true,
            storedAs: horizontalPodAutoscaler.type),
        defaults: { autoscaler in
            autoscaler.json.change("spec") { spec in
                spec.fill("minReplicas", 1)
                if spec["targetCPUUtilizationPercentage"].isNull { spec["targetCPUUtilizationPercentage"] = 80 }
            }
        },
        validate: { $0.autoscaler($1.spec) }, columns: autoscalerColumns, convert: toFirst, isReconciled: false)

    /// The metric that stands for `targetCPUUtilizationPercentage`.
    private static func utilization(_ target: JSON) -> JSON {
        [
            "type": "Resource",
            "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": target]],
        ]
    }

    @Sendable private static func toFirst(_ object: inout Object) {
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

    @Sendable private static func fromFirst(_ object: inout Object) {
        let target = object.spec["targetCPUUtilizationPercentage"]
        guard !target.isNull else { return }
        object.spec["targetCPUUtilizationPercentage"] = .null
        object.spec["metrics"] = [utilization(target)]
    }

    private static let autoscalerColumns = Table.Columns([
        .name, "Reference", "Targets", "MinPods", "MaxPods", "Replicas", .age,
    ]) { object, now in
        let target = object.spec["scaleTargetRef"]
        return [
            .string(object.name), .string("\(target["kind"].string ?? "")/\(target["name"].string ?? "")"),
            .string(targets(object)), Table.text(object.spec["minReplicas"], absent: "<unset>"),
            Table.number(object.spec["maxReplicas"]), Table.number(object.status["currentReplicas"]), object.age(now),
        ]
    }

    /// Each metric as `cpu: 20%/80%`, or `<unknown>/80%` before it was measured.
    private static func targets(_ object: Object) -> String {
        if let target = object.spec["targetCPUUtilizationPercentage"].int {
            let current = object.status["currentCPUUtilizationPercentage"].int.map { "\($0)%" } ?? "<unknown>"
            return "cpu: \(current)/\(target)%"
        }
        let metrics = object.spec["metrics"].items
        if metrics.isEmpty { return "<none>" }
        let current = object.status["currentMetrics"].items
        let texts = metrics.enumerated().map { index, metric -> String in
            let source = metric["type"].string ?? ""
            let member = source.prefix(1).lowercased() + source.dropFirst()
            let measured = index < current.count ? current[index][member]["current"] : .null
            func value(_ json: JSON) -> String? {
                json["averageUtilization"].int.map { "\($0)%" } ?? json["averageValue"].string ?? json["value"].string
            }
            let text = "\(value(measured) ?? "<unknown>")/\(value(metric[member]["target"]) ?? "<auto>")"
            return metric[member]["name"].string.map { "\($0): \(text)" } ?? text
        }
        let shown = texts.prefix(2).joined(separator: ", ")
        return texts.count > 2 ? "\(shown) + \(texts.count - 2) more..." : shown
    }
}

extension Validation {
    fileprivate mutating func autoscaler(_ spec: JSON) {
        if let least = spec["minReplicas"].int, least < 1 {
            invalid("spec.minReplicas", JSON(least), "must be greater than or equal to 1")
        }
        positive("spec.maxReplicas", spec["maxReplicas"].isNull ? 0 : spec["maxReplicas"])
        if let least = spec["minReplicas"].int, let most = spec["maxReplicas"].int, most < least {
            invalid("spec.maxReplicas", JSON(most), "must be greater than or equal to `minReplicas`")
        }
        for field in ["kind", "name"] where spec["scaleTargetRef"][field].string?.isEmpty ?? true {
            required("spec.scaleTargetRef.\(field)")
        }
    }
}
