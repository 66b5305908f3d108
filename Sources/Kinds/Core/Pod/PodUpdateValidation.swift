import APIMachinery
import KubernetesModel

extension Validation {
    mutating func podUpdate(_ object: Object, old: Object) {
        let counts = ["containers", "initContainers"].map {
            ($0, object.spec[$0].items.count == old.spec[$0].items.count)
        }
        for (list, isSame) in counts where !isSame {
            forbidden("spec.\(list)", "pod updates may not add or remove containers")
        }
        guard counts.allSatisfy(\.1), deadlineUpdate(object.spec, old: old.spec) else { return }
        tolerationsUpdate(object.spec["tolerations"], old: old.spec["tolerations"])
        gatesUpdate(object.spec["schedulingGates"], old: old.spec["schedulingGates"])
        let isGated = !old.spec["schedulingGates"].items.isEmpty
        if isGated { nodeSelectorUpdate(object.spec["nodeSelector"], old: old.spec["nodeSelector"]) }
        guard Self.fixedPart(object, old: old) != Self.fixedPart(old, old: old) else { return }
        forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
                + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
                + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")
    }

    /// A pod's spec without what an update may change or what has rules of its own.
    private static func fixedPart(_ object: Object, old: Object) -> JSON {
        var spec = object.spec
        for list in ["containers", "initContainers"] {
            spec.changeEach(list) { $0["image"] = .null }
        }
        for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] { spec[name] = .null }
        if (old.spec["terminationGracePeriodSeconds"].int ?? 0) < 0, spec["terminationGracePeriodSeconds"] == 1 {
            spec["terminationGracePeriodSeconds"] = old.spec["terminationGracePeriodSeconds"]
        }
        if !old.spec["schedulingGates"].items.isEmpty {
            spec["nodeSelector"] = .null
            spec["affinity"] = .null
        }
        return spec
    }

    /// A deadline may be set, and made shorter. Returns whether this one is so.
    private mutating func deadlineUpdate(_ spec: JSON, old: JSON) -> Bool {
        let path = "spec.activeDeadlineSeconds"
        guard let before = old["activeDeadlineSeconds"].int else { return true }
        guard let after = spec["activeDeadlineSeconds"].int else {
            invalid(path, .null, "must not update from a positive integer to nil value")
            return true
        }
        guard after > before else { return true }
        invalid(path, JSON(after), "must be less than or equal to previous value")
        return false
    }

    private mutating func tolerationsUpdate(_ list: JSON, old: JSON) {
        func withoutTime(_ toleration: JSON) -> JSON {
            var toleration = toleration
            toleration["tolerationSeconds"] = .null
            return toleration
        }
        let kept = list.items.map(withoutTime)
        if !old.items.map(withoutTime).allSatisfy(kept.contains) {
            forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
        }
    }

    private mutating func gatesUpdate(_ list: JSON, old: JSON) {
        let present = Set(old.items.map { $0["name"].string ?? "" })
        for (index, gate) in list.items.enumerated() {
            let name = gate["name"].string ?? ""
            guard !present.contains(name) else { continue }
            forbidden(
                "spec.schedulingGates[\(index)]",
                "only deletion is allowed, but found new scheduling gate '\(name)'")
        }
    }

    private mutating func nodeSelectorUpdate(_ selector: JSON, old: JSON) {
        let after = selector.stringMap
        if !old.stringMap.allSatisfy({ after[$0.key] == $0.value }) {
            invalid(
                "spec.nodeSelector", selector,
                "only additions to spec.nodeSelector are allowed (no deletions or mutations)")
        }
    }

    /// Containers that are there already stay as they are.
    mutating func ephemeralContainersUpdate(_ object: Object, old: Object) {
        let path = "spec.ephemeralContainers"
        guard old.annotations["kubernetes.io/config.mirror"] == nil else {
            return forbidden("", "static pods do not support ephemeral containers")
        }
        for container in old.spec["ephemeralContainers"].items {
            let name = container["name"]
            let same = object.spec["ephemeralContainers"].items.last { $0["name"] == name }
            if same == nil {
                forbidden(path, "existing ephemeral containers \(name) may not be removed\n")
            } else if same != container {
                forbidden(path, "existing ephemeral containers \(name) may not be changed\n")
            }
        }
    }

    /// What an ephemeral container cannot have: its pod does not depend on it.
    private static let withheld = [
        "ports", "resources", "resizePolicy", "restartPolicy", "livenessProbe", "readinessProbe", "startupProbe",
        "lifecycle",
    ]

    /// `others` are the names of the pod's other containers.
    mutating func ephemeralContainers(
        _ list: JSON, _ path: String, volumes: Set<String>, others: Set<String>
    ) {
        let why = "cannot be set for an Ephemeral Container"
        var names = others
        for (index, container) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            var common = container
            for probe in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] { common[probe] = .null }
            self.container(common, at, volumes: volumes, isInit: false, gracePeriod: nil)
            if let name = container["name"].string, !name.isEmpty, !names.insert(name).inserted {
                duplicate("\(at).name", .string(name))
            }
            if let target = container["targetContainerName"].string, !target.isEmpty, !others.contains(target) {
                add(FieldError(.notFound, "\(at).targetContainerName", value: .string(target)))
            }
            for field in Self.withheld where !container[field].isNull && container[field] != [:] {
                forbidden("\(at).\(field)", why)
            }
            for (number, mount) in container["volumeMounts"].items.enumerated() {
                for field in ["subPath", "subPathExpr"] where !(mount[field].string ?? "").isEmpty {
                    forbidden("\(at).volumeMounts[\(number)].\(field)", why)
                }
            }
        }
    }
}
