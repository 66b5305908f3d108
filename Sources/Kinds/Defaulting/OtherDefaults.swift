import APIMachinery
import KubernetesModel

extension Defaulting {
    static func applyOther(_ object: inout Object, _ type: ResourceType) {
        switch (type.group, type.kind) {
        case ("", "Namespace"):
            object.metadata["labels"]["kubernetes.io/metadata.name"] = .string(object.name)
            if object.spec["finalizers"].isNull, !object.isBeingDeleted { object.spec["finalizers"] = ["kubernetes"] }
            object.json["status"].fill("phase", "Active")
        case ("", "Secret"): secret(&object)
        case ("", "Endpoints"):
            object.json.changeEach("subsets") { $0.changeEach("ports") { $0.fill("protocol", "TCP") } }
        case ("", "PersistentVolumeClaim"):
            object.json["spec"].fill("volumeMode", "Filesystem")
            object.json["status"].fill("phase", "Pending")
        case ("", "PersistentVolume"):
            object.json["spec"].fill("volumeMode", "Filesystem")
            object.json["spec"].fill("persistentVolumeReclaimPolicy", "Retain")
            object.json["status"].fill("phase", "Pending")
        case ("", "LimitRange"): limitRange(&object)
        case ("discovery.k8s.io", "EndpointSlice"):
            object.json.changeEach("ports") { port in
                port.fill("protocol", "TCP")
                if port["name"].isNull { port["name"] = "" }
            }
        case ("autoscaling", "HorizontalPodAutoscaler"): autoscaler(&object, type)
        case ("networking.k8s.io", "NetworkPolicy"): networkPolicy(&object)
        case ("networking.k8s.io", "IngressClass"):
            object.json.change("spec") { $0.change("parameters") { $0.fill("scope", "Cluster") } }
        case ("storage.k8s.io", "StorageClass"):
            object.json.fill("reclaimPolicy", "Delete")
            object.json.fill("volumeBindingMode", "Immediate")
        case ("storage.k8s.io", "CSIDriver"):
            object.json["spec"].fill("attachRequired", true)
            object.json["spec"].fill("fsGroupPolicy", "ReadWriteOnceWithFSType")
            object.json["spec"].fill("podInfoOnMount", false)
            object.json["spec"].fill("requiresRepublish", false)
            object.json["spec"].fill("storageCapacity", false)
            object.json["spec"].fill("seLinuxMount", false)
            if object.spec["volumeLifecycleModes"].items.isEmpty {
                object.spec["volumeLifecycleModes"] = ["Persistent"]
            }
        case ("scheduling.k8s.io", "PriorityClass"): object.json.fill("preemptionPolicy", "PreemptLowerPriority")
        case ("rbac.authorization.k8s.io", _): binding(&object)
        case ("apiextensions.k8s.io", "CustomResourceDefinition"): customResourceDefinition(&object)
        case ("apiregistration.k8s.io", "APIService"):
            object.json["spec"].change("service") { $0.fill(zero: "port", 443) }
        case ("admissionregistration.k8s.io", _): admission(&object)
        case ("flowcontrol.apiserver.k8s.io", "FlowSchema"): object.json["spec"].fill(zero: "matchingPrecedence", 1000)
        default: break
        }
    }

    /// `stringData` is written only; it ends up in `data`.
    private static func secret(_ object: inout Object) {
        object.json.fill("type", "Opaque")
        guard !object["stringData"].isNull else { return }
        for (key, text) in object["stringData"].stringMap {
            object["data"][key] = .string(Base64.encode(text.utf8))
        }
        object["stringData"] = .null
    }

    private static func limitRange(_ object: inout Object) {
        object.json["spec"].changeEach("limits") { limit in
            guard limit["type"] == "Container" else { return }
            for (name, amount) in limit["max"].object ?? [:] { limit["default"].fill(name, amount) }
            for (name, amount) in limit["default"].object ?? [:] { limit["defaultRequest"].fill(name, amount) }
            for (name, amount) in limit["min"].object ?? [:] { limit["defaultRequest"].fill(name, amount) }
        }
    }

    private static func autoscaler(_ object: inout Object, _ type: ResourceType) {
        object.json.change("spec") { spec in
            spec.fill("minReplicas", 1)
            guard type.version == "v2" else {
                if spec["targetCPUUtilizationPercentage"].isNull { spec["targetCPUUtilizationPercentage"] = 80 }
                return
            }
            if spec["metrics"].items.isEmpty {
                spec["metrics"] = [
                    [
                        "type": "Resource",
                        "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]],
                    ]
                ]
            }
        }
    }

    private static func networkPolicy(_ object: inout Object) {
        object.json.change("spec") { spec in
            for direction in ["ingress", "egress"] {
                spec.changeEach(direction) { $0.changeEach("ports") { $0.fill("protocol", "TCP") } }
            }
            if spec["policyTypes"].items.isEmpty {
                spec["policyTypes"] = spec["egress"].items.isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
            }
            if spec["podSelector"].isNull { spec["podSelector"] = [:] }
        }
    }

    private static func binding(_ object: inout Object) {
        let group: JSON = "rbac.authorization.k8s.io"
        object.json.change("roleRef") { $0.fill("apiGroup", group) }
        object.json.changeEach("subjects") { subject in
            if subject["kind"] == "User" || subject["kind"] == "Group" { subject.fill("apiGroup", group) }
        }
        if object.kind == "Role" || object.kind == "ClusterRole", object["rules"].isNull { object["rules"] = [] }
    }

    private static func customResourceDefinition(_ object: inout Object) {
        object.json.change("spec") { spec in
            let kind = spec["names"]["kind"].string ?? ""
            spec["names"].fill("singular", .string(kind.lowercased()))
            spec["names"].fill("listKind", .string(kind + "List"))
            spec["conversion"].fill("strategy", "None")
            spec["conversion"].change("webhook") { webhook in
                webhook.change("clientConfig") { $0.change("service") { $0.fill(zero: "port", 443) } }
            }
        }
    }

    private static func admission(_ object: inout Object) {
        object.json.changeEach("webhooks") { webhook in
            webhook.fill("failurePolicy", "Fail")
            webhook.fill("matchPolicy", "Equivalent")
            webhook.fill("namespaceSelector", [:])
            webhook.fill("objectSelector", [:])
            webhook.fill("timeoutSeconds", 10)
            webhook["clientConfig"].change("service") { $0.fill(zero: "port", 443) }
            webhook.changeEach("rules") { $0.fill("scope", "*") }
        }
        if object.kind == "MutatingWebhookConfiguration" {
            object.json.changeEach("webhooks") { $0.fill("reinvocationPolicy", "Never") }
        }
        if object.kind == "ValidatingAdmissionPolicy" {
            object.json["spec"].fill("failurePolicy", "Fail")
            object.json["spec"].change("matchConstraints") { constraints in
                constraints.fill("matchPolicy", "Equivalent")
                constraints.fill("namespaceSelector", [:])
                constraints.fill("objectSelector", [:])
                constraints.changeEach("resourceRules") { $0.fill("scope", "*") }
            }
        }
    }
}
