import KubernetesModel
import Store

/// `Priority`: resolves `priorityClassName` to the number that the scheduler works with.
struct PriorityAdmission: MutatingAdmissionPlugin {
    let name = "Priority"
    let store: any Store

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        operation == .create && type == .pods && subresource == nil
    }

    func admit(_ attributes: inout AdmissionAttributes) throws(Status) { try mutate(&attributes.object) }

    private func mutate(_ pod: inout Object) throws(Status) {
        let name = pod.spec["priorityClassName"].string ?? ""
        let builtIn = ["system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000]
        var priority = 0
        var policy = "PreemptLowerPriority"
        if let value = builtIn[name] {
            priority = value
        } else if !name.isEmpty {
            guard let found = store.object(.priorityClasses, name: name) else {
                throw .forbidden(.pods, pod.name, "no PriorityClass with name \(name) was found")
            }
            priority = found["value"].int ?? 0
            policy = found["preemptionPolicy"].string ?? policy
        } else if let global = store.objects(.priorityClasses).first(where: { $0["globalDefault"].bool == true }) {
            pod.spec["priorityClassName"] = .string(global.name)
            priority = global["value"].int ?? 0
            policy = global["preemptionPolicy"].string ?? policy
        }
        pod.spec["priority"] = JSON(priority)
        if pod.spec["preemptionPolicy"].isNull { pod.spec["preemptionPolicy"] = .string(policy) }
    }
}
