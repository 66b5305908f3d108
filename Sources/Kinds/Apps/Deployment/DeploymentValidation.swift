import APIMachinery
import KubernetesModel

extension Validation {
    mutating func deployment(_ spec: JSON) {
        scaled(spec, "deployment")
        strategy(spec)
        notNegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
        notNegative("spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"])
        if let deadline = spec["progressDeadlineSeconds"].int, deadline <= spec["minReadySeconds"].int ?? 0 {
            invalid("spec.progressDeadlineSeconds", JSON(deadline), "must be greater than minReadySeconds")
        }
    }

    private mutating func strategy(_ spec: JSON) {
        let strategy = spec["strategy"]
        oneOf("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"])
        let rolling = strategy["rollingUpdate"]
        let path = "spec.strategy.rollingUpdate"
        if strategy["type"] == "Recreate" {
            if !rolling.isNull { forbidden(path, "may not be specified when strategy `type` is 'Recreate'") }
            return
        }
        intOrPercent(rolling["maxUnavailable"], "\(path).maxUnavailable", atMostAll: true)
        intOrPercent(rolling["maxSurge"], "\(path).maxSurge")
        func isZero(_ json: JSON) -> Bool { IntOrString(json)?.scaled(total: 100, roundUp: true) == 0 }
        if isZero(rolling["maxUnavailable"]), isZero(rolling["maxSurge"]) {
            invalid("\(path).maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
        }
    }
}
