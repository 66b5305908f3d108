import APIMachinery
import KubernetesModel

/// What a pod's and its containers' security contexts have in common, and what only a pod's has.
extension Validation {
    mutating func podSecurityContext(_ context: JSON, _ path: String, spec: JSON) {
        for field in ["runAsUser", "runAsGroup", "fsGroup"] { id(context[field], "\(path).\(field)") }
        for (index, group) in context["supplementalGroups"].items.enumerated() {
            id(group, "\(path).supplementalGroups[\(index)]")
        }
        seccompProfile(context["seccompProfile"], "\(path).seccompProfile")
        sysctls(context["sysctls"], "\(path).sysctls")
        if spec["shareProcessNamespace"].bool == true, spec["hostPID"].bool == true {
            invalid(
                "\(path).shareProcessNamespace", true,
                "ShareProcessNamespace and HostPID cannot both be enabled")
        }
    }

    /// Of a user or group: what lies beyond is no id for the kernel's calls, or means "as it is".
    mutating func id(_ value: JSON, _ path: String) {
        if let id = value.int, !(0...2_147_483_647).contains(id) {
            invalid(path, value, "must be between 0 and 2147483647, inclusive")
        }
    }

    mutating func seccompProfile(_ profile: JSON, _ path: String) {
        if profile.isNull { return }
        oneOf("\(path).type", profile["type"], ["Localhost", "RuntimeDefault", "Unconfined"], required: true)
        let file = profile["localhostProfile"]
        if profile["type"] == "Localhost" {
            guard let file = file.string, !file.isEmpty else {
                return required("\(path).localhostProfile", "must be set when seccomp type is Localhost")
            }
            if file.hasPrefix("/") { invalid("\(path).localhostProfile", .string(file), "must be a relative path") }
            if file.split(separator: "/").contains("..") {
                invalid("\(path).localhostProfile", .string(file), "must not contain '..'")
            }
        } else if !file.isNull {
            invalid("\(path).localhostProfile", file, "can only be set when seccomp type is Localhost")
        }
    }

    private mutating func sysctls(_ list: JSON, _ path: String) {
        var names: Set<String> = []
        for (index, item) in list.items.enumerated() {
            let at = "\(path)[\(index)].name"
            guard let name = item["name"].string, !name.isEmpty else {
                required(at)
                continue
            }
            guard let sysctl = Sysctl(name) else {
                let expression = #"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"#
                invalid(
                    at, .string(name),
                    "must have at most \(Sysctl.maxLength) characters and match regex ^\(expression)$")
                continue
            }
            if !names.insert(sysctl.name).inserted { duplicate(at, .string(name)) }
        }
    }
}
