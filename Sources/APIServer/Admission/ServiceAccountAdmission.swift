import KubernetesModel
import Store

/// `ServiceAccount`: gives every pod a service account, and its containers the account's token.
struct ServiceAccountAdmission: MutatingAdmissionPlugin {
    private static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"

    let name = "ServiceAccount"
    let store: any Store

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        operation == .create && type == .pods && subresource == nil
    }

    func admit(_ attributes: inout AdmissionAttributes) throws(Status) { try mutate(&attributes.object) }

    private func mutate(_ pod: inout Object) throws(Status) {
        // A mirror pod shows what a node runs by itself; it has no account.
        guard pod.annotations["kubernetes.io/config.mirror"] == nil else { return }
        let name = pod.spec["serviceAccountName"].string.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
        pod.spec["serviceAccountName"] = .string(name)
        pod.spec["serviceAccount"] = .string(name)
        let account = store.object(.serviceAccounts, namespace: pod.namespace, name: name)
        guard account != nil || name == "default" else {
            throw .forbidden(
                .pods, pod.name,
                "error looking up service account \(pod.namespace)/\(name): serviceaccount \"\(name)\" not found")
        }
        if pod.spec["imagePullSecrets"].items.isEmpty, let secrets = account?["imagePullSecrets"], !secrets.isNull {
            pod.spec["imagePullSecrets"] = secrets
        }
        let automount =
            pod.spec["automountServiceAccountToken"].bool ?? account?["automountServiceAccountToken"].bool ?? true
        if automount { mountToken(&pod) }
    }

    private func mountToken(_ pod: inout Object) {
        let volume = "kube-api-access-" + Identifiers.suffix()
        var mounted = false
        for list in ["initContainers", "containers"] {
            var containers = pod.spec[list].items
            for index in containers.indices
            where !containers[index]["volumeMounts"].items.contains(where: { $0["mountPath"].string == Self.mountPath })
            {
                containers[index]["volumeMounts"].append([
                    "name": .string(volume), "readOnly": true, "mountPath": .string(Self.mountPath),
                ])
                mounted = true
            }
            if !containers.isEmpty { pod.spec[list] = .array(containers) }
        }
        guard mounted else { return }
        pod.spec["volumes"].append([
            "name": .string(volume),
            "projected": [
                "defaultMode": 420,
                "sources": [
                    ["serviceAccountToken": ["expirationSeconds": 3607, "path": "token"]],
                    ["configMap": ["name": "kube-root-ca.crt", "items": [["key": "ca.crt", "path": "ca.crt"]]]],
                    [
                        "downwardAPI": [
                            "items": [
                                [
                                    "path": "namespace",
                                    "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"],
                                ]
                            ]
                        ]
                    ],
                ],
            ],
        ])
    }
}
