extension Catalogue {
    /// The kinds of Kubernetes 1.33's stable APIs, and those of metrics.k8s.io, in the order of discovery.
    public static let builtIn = Catalogue([
        // Core
        .binding, .componentStatus, .configMap, .endpoints, .event, .limitRange, .namespace, .node,
        .persistentVolumeClaim, .persistentVolume, .pod, .podTemplate, .replicationController, .resourceQuota, .secret,
        .serviceAccount, .service,
        // apiregistration.k8s.io
        .apiService,
        // apps
        .controllerRevision, .daemonSet, .deployment, .replicaSet, .statefulSet,
        // events.k8s.io
        .currentEvent,
        // authentication.k8s.io, authorization.k8s.io
        .selfSubjectReview, .tokenReview, .localSubjectAccessReview, .selfSubjectAccessReview,
        .selfSubjectRulesReview, .subjectAccessReview,
        // autoscaling
        .horizontalPodAutoscaler, .firstHorizontalPodAutoscaler,
        // batch
        .cronJob, .job,
        // certificates.k8s.io
        .certificateSigningRequest,
        // networking.k8s.io, discovery.k8s.io
        .ingressClass, .ingress, .ipAddress, .networkPolicy, .serviceCIDR, .endpointSlice,
        // policy
        .podDisruptionBudget,
        // rbac.authorization.k8s.io
        .clusterRoleBinding, .clusterRole, .roleBinding, .role,
        // storage.k8s.io
        .csiDriver, .csiNode, .csiStorageCapacity, .storageClass, .volumeAttachment,
        // admissionregistration.k8s.io, apiextensions.k8s.io
        .mutatingWebhookConfiguration, .validatingAdmissionPolicy, .validatingAdmissionPolicyBinding,
        .validatingWebhookConfiguration, .customResourceDefinition,
        // scheduling.k8s.io, coordination.k8s.io, node.k8s.io, flowcontrol.apiserver.k8s.io
        .priorityClass, .lease, .runtimeClass, .flowSchema, .priorityLevelConfiguration,
        // metrics.k8s.io
        .nodeMetrics, .podMetrics,
    ])
}
