import KubernetesModel

/// Pipeline steps: admission, first the part that may change an object, later the part that may only refuse it.
struct Admission: Sendable {
    let objects: Objects

    /// Runs before validation, on an object with its defaults set.
    func mutate(
        _ object: inout Object, old: Object?, _ request: ResourceRequest, _ context: RequestContext
    ) async throws(Status) {
        guard old == nil else { return }
        try checkNamespace(of: object, request)
        if request.type == .pods {
            try ServiceAccountAdmission(objects: objects).mutate(&object)
            try PriorityAdmission(objects: objects).mutate(&object)
            Self.tolerateNodeFailures(&object)
        }
        if request.type == .persistentVolumeClaims { DefaultStorageClass(objects: objects).mutate(&object) }
    }

    /// Runs on the object as it would be stored.
    func validate(
        _ object: Object, old: Object?, _ request: ResourceRequest, _ context: RequestContext
    ) async throws(Status) {}

    func validateDelete(
        _ object: Object, _ request: ResourceRequest, _ context: RequestContext
    ) async throws(Status) {
        if request.type == .namespaces, Bootstrap.immortalNamespaces.contains(object.name) {
            throw .forbidden(request.type, object.name, "this namespace may not be deleted")
        }
    }

    /// `NamespaceLifecycle`: nothing is made in a namespace that does not exist or is about to end.
    private func checkNamespace(of object: Object, _ request: ResourceRequest) throws(Status) {
        guard request.type.namespaced else { return }
        let name = object.namespace
        guard let namespace = objects.object(.namespaces, name: name) else { throw .notFound(.namespaces, name) }
        guard namespace.isBeingDeleted || namespace.status["phase"].string == "Terminating" else { return }
        var status = Status.forbidden(
            request.type, object.name,
            "unable to create new content in namespace \(name) because it is being terminated")
        status.causes = [
            Status.Cause(
                reason: "NamespaceTerminating", message: "namespace \(name) is being terminated",
                field: "metadata.namespace")
        ]
        throw status
    }

    /// `DefaultTolerationSeconds`: a pod stays five minutes on a node that has failed.
    private static func tolerateNodeFailures(_ pod: inout Object) {
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            let tolerates = pod.spec["tolerations"].items.contains { toleration in
                (toleration["key"].string == key || toleration["key"].isNull)
                    && (toleration["effect"].string == "NoExecute" || toleration["effect"].isNull)
            }
            guard !tolerates else { continue }
            pod.spec["tolerations"].append([
                "key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            ])
        }
    }
}

/// Gives every pod a service account, and the containers its token.
struct ServiceAccountAdmission: Sendable {
    private static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"

    let objects: Objects

    func mutate(_ pod: inout Object) throws(Status) {
        // A mirror pod shows what a node runs by itself; it has no account.
        guard pod.annotations["kubernetes.io/config.mirror"] == nil else { return }
        let name = pod.spec["serviceAccountName"].string.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
        pod.spec["serviceAccountName"] = .string(name)
        pod.spec["serviceAccount"] = .string(name)
        let account = objects.object(.serviceAccounts, namespace: pod.namespace, name: name)
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

/// Resolves `priorityClassName` to the number that the scheduler works with.
struct PriorityAdmission: Sendable {
    let objects: Objects

    func mutate(_ pod: inout Object) throws(Status) {
        let name = pod.spec["priorityClassName"].string ?? ""
        let builtIn = ["system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000]
        var priority = 0
        var policy = "PreemptLowerPriority"
        if let value = builtIn[name] {
            priority = value
        } else if !name.isEmpty {
            guard let found = objects.object(.priorityClasses, name: name) else {
                throw .forbidden(.pods, pod.name, "no PriorityClass with name \(name) was found")
            }
            priority = found["value"].int ?? 0
            policy = found["preemptionPolicy"].string ?? policy
        } else if let global = objects.store.list(prefix: ResourceType.priorityClasses.storePrefix(namespace: nil))
            .first(where: { $0.object["globalDefault"].bool == true })?.object
        {
            pod.spec["priorityClassName"] = .string(global.name)
            priority = global["value"].int ?? 0
            policy = global["preemptionPolicy"].string ?? policy
        }
        pod.spec["priority"] = JSON(priority)
        if pod.spec["preemptionPolicy"].isNull { pod.spec["preemptionPolicy"] = .string(policy) }
    }
}

/// Gives a claim that names no storage class the default one.
struct DefaultStorageClass: Sendable {
    let objects: Objects

    func mutate(_ claim: inout Object) {
        guard claim.spec["storageClassName"].isNull else { return }
        let classes = objects.store.list(prefix: ResourceType.storageClasses.storePrefix(namespace: nil)).map(\.object)
        let marked = classes.filter { $0.annotations["storageclass.kubernetes.io/is-default-class"] == "true" }
        // Of several, the newest counts.
        let newest = marked.max { ($0.creationTimestamp?.seconds ?? 0) < ($1.creationTimestamp?.seconds ?? 0) }
        if let newest { claim.spec["storageClassName"] = .string(newest.name) }
    }
}
