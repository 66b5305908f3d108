import KubernetesModel

/// `DefaultTolerationSeconds`: a pod stays five minutes on a node that has failed.
struct DefaultTolerationSecondsAdmission: MutatingAdmissionPlugin {
    let name = "DefaultTolerationSeconds"

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        operation == .create && type == .pods && subresource == nil
    }

    func admit(_ attributes: inout AdmissionAttributes) {
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            let tolerates = attributes.object.spec["tolerations"].items.contains { toleration in
                (toleration["key"].string == key || toleration["key"].isNull)
                    && (toleration["effect"].string == "NoExecute" || toleration["effect"].isNull)
            }
            guard !tolerates else { continue }
            attributes.object.spec["tolerations"].append([
                "key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            ])
        }
    }
}
