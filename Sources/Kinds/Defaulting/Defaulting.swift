import APIMachinery
import KubernetesModel

extension ResourceInfo {
    /// Fills in what Kubernetes fills in where a request leaves it out.
    ///
    /// Idempotent. It does not decide what only the API server knows (names, addresses, uids).
    public func applyDefaults(_ object: inout Object) {
        if isCustom {
            schema.applyDefaults(&object.json)
            return
        }
        Defaulting.apply(&object, type)
        applyStatusDefaults(&object)
    }

    /// An object that has a status is never without one; its counters begin at zero, and what is to be found out at no.
    public func applyStatusDefaults(_ object: inout Object) {
        guard !isCustom, subresource("status") != nil, let status = schema.properties["status"]?.resolved else {
            return
        }
        var filled = object.status.object ?? [:]
        for name in status.required where filled[name] == nil {
            switch status.properties[name]?.type {
            case .integer: filled[name] = 0
            case .boolean: filled[name] = false
            default: break
            }
        }
        if type.group.isEmpty, type.kind == "Service", filled["loadBalancer"] == nil { filled["loadBalancer"] = [:] }
        object.status = .object(filled)
    }
}

/// The defaults of built-in kinds.
enum Defaulting {
    static func apply(_ object: inout Object, _ type: ResourceType) {
        switch (type.group, type.kind) {
        case ("", "Pod"): pod(&object)
        case ("", "PodTemplate"): object.json.change("template") { podTemplate(&$0) }
        case ("", "ReplicationController"): replicationController(&object)
        case ("", "Service"): service(&object)
        case ("apps", "Deployment"): deployment(&object)
        case ("apps", "ReplicaSet"): replicaSet(&object)
        case ("apps", "StatefulSet"): statefulSet(&object)
        case ("apps", "DaemonSet"): daemonSet(&object)
        case ("batch", "Job"): job(&object)
        case ("batch", "CronJob"): cronJob(&object)
        default: applyOther(&object, type)
        }
    }
}
