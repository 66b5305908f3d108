import APIMachinery
import KubernetesModel

extension Catalogue {
    /// The kinds of Kubernetes 1.33's stable APIs, and those of metrics.k8s.io.
    public static let builtIn = Catalogue(BuiltInResources.rows)
}

private enum BuiltInResources {
    typealias Subresource = ResourceInfo.Subresource

    static let readAndWrite = ["get", "patch", "update"]
    static let proxyVerbs = ["create", "delete", "get", "patch", "update"]

    static let rows: [ResourceInfo] =
        core + aggregation + apps + events + access + autoscaling + batch + certificates + networking + policy + rbac
        + storage + admission + scheduling + metrics

    private struct Group {
        let name: String
        let version: String
        /// The definitions' prefix.
        let prefix: String

        init(_ name: String, _ version: String, _ prefix: String? = nil) {
            self.name = name
            self.version = version
            let short = name.split(separator: ".").first.map(String.init) ?? "core"
            self.prefix = prefix ?? "io.k8s.api.\(short).\(version)."
        }

        func row(
            _ plural: String, _ kind: String, namespaced: Bool = true, short: [String] = [], all: Bool = false,
            isExtension: Bool = false,
            status: Bool = false, scale: Bool = false, verbs: [String] = ResourceInfo.allVerbs,
            others: [Subresource] = [], singular: String? = nil, storedAs: ResourceType? = nil
        ) -> ResourceInfo {
            var subresources = others
            if scale {
                subresources.append(
                    Subresource("scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: readAndWrite))
            }
            if status { subresources.append(Subresource("status", kind: kind, verbs: readAndWrite)) }
            let definition = prefix + kind
            return ResourceInfo(
                type: ResourceType(
                    group: name, version: version, plural: plural, kind: kind, namespaced: namespaced),
                singular: singular, shortNames: short,
                categories: all ? ["all"] : isExtension ? ["api-extensions"] : [], verbs: verbs,
                subresources: subresources.sorted { $0.name < $1.name }, definition: definition,
                schema: SchemaIndex.builtIn[definition] ?? Schema(.object, preservesUnknownFields: true),
                storedAs: storedAs)
        }
    }

    private static let core: [ResourceInfo] = {
        let group = Group("", "v1")
        return [
            group.row("bindings", "Binding", verbs: ["create"]),
            group.row(
                "componentstatuses", "ComponentStatus", namespaced: false, short: ["cs"], verbs: ["get", "list"]),
            group.row("configmaps", "ConfigMap", short: ["cm"]),
            group.row("endpoints", "Endpoints", short: ["ep"]),
            group.row("events", "Event", short: ["ev"]),
            group.row("limitranges", "LimitRange", short: ["limits"]),
            group.row(
                "namespaces", "Namespace", namespaced: false, short: ["ns"], status: true,
                verbs: ResourceInfo.allVerbs.filter { $0 != "deletecollection" },
                others: [Subresource("finalize", kind: "Namespace", verbs: ["update"])]),
            group.row(
                "nodes", "Node", namespaced: false, short: ["no"], status: true,
                others: [Subresource("proxy", kind: "NodeProxyOptions", verbs: proxyVerbs)]),
            group.row("persistentvolumeclaims", "PersistentVolumeClaim", short: ["pvc"], status: true),
            group.row("persistentvolumes", "PersistentVolume", namespaced: false, short: ["pv"], status: true),
            group.row(
                "pods", "Pod", short: ["po"], all: true, status: true,
                others: [
                    Subresource("attach", kind: "PodAttachOptions", verbs: ["create", "get"]),
                    Subresource("binding", kind: "Binding", verbs: ["create"]),
                    Subresource("ephemeralcontainers", kind: "Pod", verbs: readAndWrite),
                    Subresource("eviction", kind: "Eviction", group: "policy", version: "v1", verbs: ["create"]),
                    Subresource("exec", kind: "PodExecOptions", verbs: ["create", "get"]),
                    Subresource("log", kind: "Pod", verbs: ["get"]),
                    Subresource("portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"]),
                    Subresource("proxy", kind: "PodProxyOptions", verbs: proxyVerbs),
                    Subresource("resize", kind: "Pod", verbs: readAndWrite),
                ]),
            group.row("podtemplates", "PodTemplate"),
            group.row(
                "replicationcontrollers", "ReplicationController", short: ["rc"], all: true, status: true, scale: true),
            group.row("resourcequotas", "ResourceQuota", short: ["quota"], status: true),
            group.row("secrets", "Secret"),
            group.row(
                "serviceaccounts", "ServiceAccount", short: ["sa"],
                others: [
                    Subresource(
                        "token", kind: "TokenRequest", group: "authentication.k8s.io", version: "v1",
                        verbs: ["create"])
                ]),
            group.row(
                "services", "Service", short: ["svc"], all: true, status: true,
                others: [Subresource("proxy", kind: "ServiceProxyOptions", verbs: proxyVerbs)]),
        ]
    }()

    private static let aggregation: [ResourceInfo] = {
        let group = Group("apiregistration.k8s.io", "v1", "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.")
        return [group.row("apiservices", "APIService", namespaced: false, isExtension: true, status: true)]
    }()

    private static let apps: [ResourceInfo] = {
        let group = Group("apps", "v1")
        return [
            group.row("controllerrevisions", "ControllerRevision"),
            group.row("daemonsets", "DaemonSet", short: ["ds"], all: true, status: true),
            group.row("deployments", "Deployment", short: ["deploy"], all: true, status: true, scale: true),
            group.row("replicasets", "ReplicaSet", short: ["rs"], all: true, status: true, scale: true),
            group.row("statefulsets", "StatefulSet", short: ["sts"], all: true, status: true, scale: true),
        ]
    }()

    private static let events: [ResourceInfo] = {
        let group = Group("events.k8s.io", "v1")
        let stored = ResourceType(group: "", version: "v1", plural: "events", kind: "Event", namespaced: true)
        return [group.row("events", "Event", short: ["ev"], storedAs: stored)]
    }()

    private static let access: [ResourceInfo] = {
        let authentication = Group("authentication.k8s.io", "v1")
        let authorization = Group("authorization.k8s.io", "v1")
        let create = ["create"]
        return [
            authentication.row("selfsubjectreviews", "SelfSubjectReview", namespaced: false, verbs: create),
            authentication.row("tokenreviews", "TokenReview", namespaced: false, verbs: create),
            authorization.row("localsubjectaccessreviews", "LocalSubjectAccessReview", verbs: create),
            authorization.row("selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced: false, verbs: create),
            authorization.row("selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced: false, verbs: create),
            authorization.row("subjectaccessreviews", "SubjectAccessReview", namespaced: false, verbs: create),
        ]
    }()

    private static let autoscaling: [ResourceInfo] = {
        let current = Group("autoscaling", "v2").row(
            "horizontalpodautoscalers", "HorizontalPodAutoscaler", short: ["hpa"], all: true, status: true)
        let first = Group("autoscaling", "v1").row(
            "horizontalpodautoscalers", "HorizontalPodAutoscaler", short: ["hpa"], all: true, status: true,
            storedAs: current.type)
        return [current, first]
    }()

    private static let batch: [ResourceInfo] = {
        let group = Group("batch", "v1")
        return [
            group.row("cronjobs", "CronJob", short: ["cj"], all: true, status: true),
            group.row("jobs", "Job", all: true, status: true),
        ]
    }()

    private static let certificates: [ResourceInfo] = {
        let group = Group("certificates.k8s.io", "v1")
        return [
            group.row(
                "certificatesigningrequests", "CertificateSigningRequest", namespaced: false, short: ["csr"],
                status: true,
                others: [Subresource("approval", kind: "CertificateSigningRequest", verbs: readAndWrite)])
        ]
    }()

    private static let networking: [ResourceInfo] = {
        let group = Group("networking.k8s.io", "v1")
        let discovery = Group("discovery.k8s.io", "v1")
        return [
            group.row("ingressclasses", "IngressClass", namespaced: false),
            group.row("ingresses", "Ingress", short: ["ing"], status: true),
            group.row("ipaddresses", "IPAddress", namespaced: false, short: ["ip"]),
            group.row("networkpolicies", "NetworkPolicy", short: ["netpol"]),
            group.row("servicecidrs", "ServiceCIDR", namespaced: false, status: true),
            discovery.row("endpointslices", "EndpointSlice"),
        ]
    }()

    private static let policy: [ResourceInfo] = [
        Group("policy", "v1").row("poddisruptionbudgets", "PodDisruptionBudget", short: ["pdb"], status: true)
    ]

    private static let rbac: [ResourceInfo] = {
        let group = Group("rbac.authorization.k8s.io", "v1", "io.k8s.api.rbac.v1.")
        return [
            group.row("clusterrolebindings", "ClusterRoleBinding", namespaced: false),
            group.row("clusterroles", "ClusterRole", namespaced: false),
            group.row("rolebindings", "RoleBinding"),
            group.row("roles", "Role"),
        ]
    }()

    private static let storage: [ResourceInfo] = {
        let group = Group("storage.k8s.io", "v1")
        return [
            group.row("csidrivers", "CSIDriver", namespaced: false),
            group.row("csinodes", "CSINode", namespaced: false),
            group.row("csistoragecapacities", "CSIStorageCapacity"),
            group.row("storageclasses", "StorageClass", namespaced: false, short: ["sc"]),
            group.row("volumeattachments", "VolumeAttachment", namespaced: false, status: true),
        ]
    }()

    private static let admission: [ResourceInfo] = {
        let group = Group("admissionregistration.k8s.io", "v1")
        let extensions = Group(
            "apiextensions.k8s.io", "v1", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.")
        return [
            group.row(
                "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", namespaced: false, isExtension: true),
            group.row(
                "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced: false, isExtension: true,
                status: true),
            group.row(
                "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced: false,
                isExtension: true),
            group.row(
                "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", namespaced: false,
                isExtension: true),
            extensions.row(
                "customresourcedefinitions", "CustomResourceDefinition", namespaced: false, short: ["crd", "crds"],
                isExtension: true,
                status: true),
        ]
    }()

    private static let scheduling: [ResourceInfo] = {
        let flow = Group("flowcontrol.apiserver.k8s.io", "v1")
        return [
            Group("scheduling.k8s.io", "v1").row("priorityclasses", "PriorityClass", namespaced: false, short: ["pc"]),
            Group("coordination.k8s.io", "v1").row("leases", "Lease"),
            Group("node.k8s.io", "v1").row("runtimeclasses", "RuntimeClass", namespaced: false),
            flow.row("flowschemas", "FlowSchema", namespaced: false, status: true),
            flow.row("prioritylevelconfigurations", "PriorityLevelConfiguration", namespaced: false, status: true),
        ]
    }()

    private static let metrics: [ResourceInfo] = {
        let group = Group("metrics.k8s.io", "v1beta1", "io.k8s.metrics.pkg.apis.metrics.v1beta1.")
        return [
            group.row("nodes", "NodeMetrics", namespaced: false, verbs: ["get", "list"], singular: ""),
            group.row("pods", "PodMetrics", verbs: ["get", "list"], singular: ""),
        ]
    }()
}
