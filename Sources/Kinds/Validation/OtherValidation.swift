import APIMachinery
import KubernetesModel

extension Validation {
    mutating func data(_ object: Object, _ type: ResourceType) {
        var size = 0
        for list in ["data", "binaryData"] {
            for (key, value) in object[list].object?.sorted(by: { $0.key < $1.key }) ?? [] {
                invalid("\(list)[\(key)]", .string(key), each: Names.configMapKey(key))
                size += value.string?.utf8.count ?? 0
                if list == "binaryData", !object["data"][key].isNull {
                    invalid("data[\(key)]", .string(key), "duplicate of key present in data")
                }
            }
        }
        // Values of Secrets and of binaryData are base64; the limit is on what they stand for.
        let limit = 1_048_576
        if size > (type.kind == "Secret" ? limit / 3 * 4 + 4 : limit) {
            add(
                FieldError(
                    .tooLong, type.kind == "Secret" ? "data" : "", detail: "may not be more than \(limit) bytes"))
        }
        if type.kind == "Secret" { secret(object) }
    }

    private mutating func secret(_ object: Object) {
        let needed: [String]
        switch object["type"].string {
        case "kubernetes.io/service-account-token":
            let name = "kubernetes.io/service-account.name"
            if object.annotations[name]?.isEmpty ?? true { required("metadata.annotations[\(name)]") }
            needed = []
        case "kubernetes.io/dockerconfigjson": needed = [".dockerconfigjson"]
        case "kubernetes.io/dockercfg": needed = [".dockercfg"]
        case "kubernetes.io/ssh-auth": needed = ["ssh-privatekey"]
        case "kubernetes.io/tls": needed = ["tls.crt", "tls.key"]
        case "kubernetes.io/basic-auth":
            if object["data"]["username"].isNull, object["data"]["password"].isNull {
                needed = ["username", "password"]
            } else {
                needed = []
            }
        default: needed = []
        }
        for key in needed where object["data"][key].isNull { required("data[\(key)]") }
    }

    mutating func dataUpdate(_ object: Object, old: Object, _ type: ResourceType) {
        if type.kind == "Secret" { immutable("type", object["type"], old: old["type"]) }
        guard old["immutable"].bool == true else { return }
        let detail = "field is immutable when `immutable` is set"
        if object["immutable"].bool != true { forbidden("immutable", detail) }
        for list in ["data", "binaryData"] where object[list] != old[list] { forbidden(list, detail) }
    }

    mutating func storage(_ object: Object, _ type: ResourceType) {
        let modes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
        switch type.kind {
        case "PersistentVolumeClaim", "PersistentVolume":
            let spec = object.spec
            if spec["accessModes"].items.isEmpty {
                required(
                    "spec.accessModes", type.kind == "PersistentVolumeClaim" ? "at least 1 access mode is required" : ""
                )
            }
            for mode in spec["accessModes"].items { oneOf("spec.accessModes", mode, modes) }
            oneOf("spec.volumeMode", spec["volumeMode"], ["Block", "Filesystem"])
            if type.kind == "PersistentVolumeClaim" {
                if spec["resources"]["requests"]["storage"].isNull { required("spec.resources[storage]") }
                selector(spec["selector"], "spec.selector")
            } else {
                if spec["capacity"].object?.isEmpty ?? true { required("spec.capacity") }
                oneOf(
                    "spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"],
                    ["Delete", "Recycle", "Retain"])
            }
        case "StorageClass":
            if object["provisioner"].string?.isEmpty ?? true { required("provisioner") }
            oneOf("reclaimPolicy", object["reclaimPolicy"], ["Delete", "Retain"])
            oneOf(
                "volumeBindingMode", object["volumeBindingMode"], ["Immediate", "WaitForFirstConsumer"], required: true)
        default: break
        }
    }

    mutating func storageUpdate(_ object: Object, old: Object, _ type: ResourceType) {
        if type.kind == "StorageClass" {
            for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"]
            where object[field] != old[field] {
                forbidden(field, "updates to \(field) are forbidden.")
            }
            return
        }
        func fixed(_ object: Object) -> JSON {
            var spec = object.spec
            spec["resources"]["requests"] = .null
            if old.spec["volumeName"].string?.isEmpty ?? true { spec["volumeName"] = .null }
            if old.spec["storageClassName"].isNull { spec["storageClassName"] = .null }
            spec["volumeAttributesClassName"] = .null
            return spec
        }
        if fixed(object) != fixed(old) {
            forbidden(
                "spec",
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            )
        }
    }

    mutating func roles(_ object: Object, _ type: ResourceType) {
        if type.kind == "Role" || type.kind == "ClusterRole" {
            for (index, rule) in object["rules"].items.enumerated() {
                if rule["verbs"].items.isEmpty {
                    required("rules[\(index)].verbs", "verbs must contain at least one value")
                }
                let isPaths = !rule["nonResourceURLs"].items.isEmpty
                if isPaths, type.kind == "Role" {
                    invalid(
                        "rules[\(index)].nonResourceURLs", rule["nonResourceURLs"],
                        "namespaced rules cannot apply to non-resource URLs")
                } else if !isPaths {
                    if rule["apiGroups"].items.isEmpty {
                        required("rules[\(index)].apiGroups", "resource rules must supply at least one api group")
                    }
                    if rule["resources"].items.isEmpty {
                        required("rules[\(index)].resources", "resource rules must supply at least one resource")
                    }
                }
            }
            return
        }
        let role = object["roleRef"]
        oneOf("roleRef.apiGroup", role["apiGroup"], ["rbac.authorization.k8s.io"])
        oneOf("roleRef.kind", role["kind"], type.kind == "RoleBinding" ? ["Role", "ClusterRole"] : ["ClusterRole"])
        if role["name"].string?.isEmpty ?? true { required("roleRef.name") }
        for (index, subject) in object["subjects"].items.enumerated() {
            let at = "subjects[\(index)]"
            if subject["name"].string?.isEmpty ?? true { required("\(at).name") }
            switch subject["kind"].string {
            case "ServiceAccount":
                if subject["namespace"].string?.isEmpty ?? true { required("\(at).namespace") }
            case "User", "Group": oneOf("\(at).apiGroup", subject["apiGroup"], ["rbac.authorization.k8s.io"])
            default:
                add(
                    .notSupported("\(at).kind", value: subject["kind"], supported: ["ServiceAccount", "User", "Group"]))
            }
        }
    }

    mutating func other(_ object: Object, _ type: ResourceType) {
        let spec = object.spec
        switch (type.group, type.kind) {
        case ("", "Node"): node(object)
        case ("", "Event"):
            let subject = object["involvedObject"]["namespace"].string ?? ""
            if !subject.isEmpty, subject != object.namespace {
                invalid("involvedObject.namespace", .string(subject), "does not match event.namespace")
            }
        case ("", "ResourceQuota"): quota(spec["hard"])
        case ("autoscaling", "HorizontalPodAutoscaler"): autoscaler(spec)
        case ("policy", "PodDisruptionBudget"):
            if !spec["minAvailable"].isNull, !spec["maxUnavailable"].isNull {
                invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
            }
            intOrPercent(spec["minAvailable"], "spec.minAvailable", atMostAll: true)
            intOrPercent(spec["maxUnavailable"], "spec.maxUnavailable", atMostAll: true)
            selector(spec["selector"], "spec.selector")
        case ("coordination.k8s.io", "Lease"):
            positive("spec.leaseDurationSeconds", spec["leaseDurationSeconds"])
            notNegative("spec.leaseTransitions", spec["leaseTransitions"])
        case ("scheduling.k8s.io", "PriorityClass"):
            let isSystem = object.name.hasPrefix("system-")
            if !isSystem, (object["value"].int ?? 0) > 1_000_000_000 {
                forbidden("value", "maximum allowed value of a user defined priority is 1000000000")
            }
            oneOf("preemptionPolicy", object["preemptionPolicy"], ["Never", "PreemptLowerPriority"])
        case ("node.k8s.io", "RuntimeClass"):
            let handler = object["handler"].string ?? ""
            invalid("handler", .string(handler), each: Names.label(handler))
        default: break
        }
    }

    private static let quotaResources: Set<String> = [
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods",
        "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
        "services.nodeports", "services.loadbalancers",
    ]

    private mutating func quota(_ hard: JSON) {
        for (name, amount) in hard.object?.sorted(by: { $0.key < $1.key }) ?? [] {
            let path = "spec.hard[\(name)]"
            invalid(path, .string(name), each: Names.qualifiedName(name))
            let isPages = name.hasPrefix("hugepages-") || name.hasPrefix("requests.hugepages-")
            if !name.contains("/"), !isPages, !Self.quotaResources.contains(name) {
                invalid(path, .string(name), "must be a standard resource for quotas")
            }
            if let quantity = Quantity(amount), quantity < Quantity(0) {
                invalid(path, .string(quantity.description), "must be greater than or equal to 0")
            }
        }
    }

    mutating func node(_ object: Object) {
        var seen: Set<[String]> = []
        for (index, json) in object.spec["taints"].items.enumerated() {
            let taint = Taint(json)
            invalid("spec.taints[\(index)].key", .string(taint.key), each: Names.qualifiedName(taint.key))
            invalid("spec.taints[\(index)].value", .string(taint.value), each: Names.labelValue(taint.value))
            oneOf(
                "spec.taints[\(index)].effect", json["effect"], ["NoSchedule", "PreferNoSchedule", "NoExecute"],
                required: true)
            if !seen.insert([taint.key, taint.effect]).inserted { duplicate("spec.taints[\(index)]", json) }
        }
    }

    private mutating func autoscaler(_ spec: JSON) {
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

    mutating func customResourceDefinition(_ object: Object) {
        let spec = object.spec
        let names = spec["names"]
        let wanted = "\(names["plural"].string ?? "").\(spec["group"].string ?? "")"
        if object.name != wanted {
            invalid("metadata.name", .string(object.name), "must be spec.names.plural+\".\"+spec.group")
        }
        if spec["group"].string?.isEmpty ?? true { required("spec.group") }
        for field in ["plural", "kind", "singular", "listKind"] where names[field].string?.isEmpty ?? true {
            required("spec.names.\(field)")
        }
        oneOf("spec.scope", spec["scope"], ["Cluster", "Namespaced"], required: true)
        let versions = spec["versions"].items
        if versions.filter({ $0["storage"].bool == true }).count != 1 {
            invalid("spec.versions", spec["versions"], "must have exactly one version marked as storage version")
        }
        for (index, version) in versions.enumerated() {
            let name = version["name"].string ?? ""
            invalid("spec.versions[\(index)].name", .string(name), each: Names.label1035(name))
            if version["schema"]["openAPIV3Schema"].isNull {
                required("spec.versions[\(index)].schema.openAPIV3Schema", "schemas are required")
            }
        }
    }
}
