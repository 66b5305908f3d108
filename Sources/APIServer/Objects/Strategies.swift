import KubernetesModel

/// Each kind's strategy.
struct Strategies: Sendable {
    private let special: [String: any Strategy]

    init(services: ServiceAllocation) {
        let counting = PlainStrategy(countsGenerations: true)
        special = [
            "pods": PodStrategy(),
            "services": ServiceStrategy(allocation: services),
            "namespaces": NamespaceStrategy(),
            "nodes": NodeStrategy(),
            "secrets": SecretStrategy(),
            "serviceaccounts": PlainStrategy(returnsDeletedObject: true),
            "persistentvolumeclaims": ClaimStrategy(),
            "persistentvolumes": VolumeStrategy(),
            "deployments.apps": WorkloadStrategy(),
            "replicasets.apps": WorkloadStrategy(),
            "statefulsets.apps": WorkloadStrategy(),
            "daemonsets.apps": WorkloadStrategy(),
            "replicationcontrollers": WorkloadStrategy(),
            "jobs.batch": JobStrategy(),
            "cronjobs.batch": counting,
            "ingresses.networking.k8s.io": counting,
            "networkpolicies.networking.k8s.io": counting,
            "poddisruptionbudgets.policy": counting,
            "certificatesigningrequests.certificates.k8s.io": PlainStrategy(),
            "flowschemas.flowcontrol.apiserver.k8s.io": counting,
            "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": counting,
            "customresourcedefinitions.apiextensions.k8s.io": counting,
            "validatingwebhookconfigurations.admissionregistration.k8s.io": counting,
            "mutatingwebhookconfigurations.admissionregistration.k8s.io": counting,
            "validatingadmissionpolicies.admissionregistration.k8s.io": counting,
        ]
    }

    subscript(type: ResourceType) -> any Strategy { special[type.groupResource] ?? PlainStrategy() }
}
