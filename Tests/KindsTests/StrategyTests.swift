import Testing

@testable import Kinds
@testable import KubernetesModel

@Suite struct StrategyTests {
    /// `stringData` is for writing only. Defaults leave it alone, so that one place decides what becomes of it.
    @Test func stringDataBecomesData() throws {
        let kind = try Sample.kind("v1", "Secret")
        var secret = Object([
            "apiVersion": "v1", "kind": "Secret", "data": ["user": "Ym9i", "group": "eA=="],
            "stringData": ["user": "admin"],
        ])
        kind.applyDefaults(&secret)
        #expect(secret["stringData"] == ["user": "admin"])
        #expect(secret["type"] == "Opaque")
        let sent = secret
        kind.strategy.prepareForCreate(&secret)
        #expect(secret["data"] == ["user": "YWRtaW4=", "group": "eA=="])
        #expect(secret["stringData"].isNull)
        var updated = sent
        kind.strategy.prepareForUpdate(&updated, secret)
        #expect(updated == secret)
    }

    /// The status with which objects begin, whatever a client sends.
    @Test(
        arguments: [
            ("v1", "Namespace", ["phase": "Active"]), ("v1", "PersistentVolumeClaim", ["phase": "Pending"]),
            ("v1", "Pod", ["phase": "Pending", "qosClass": "BestEffort"]), ("v1", "Service", ["loadBalancer": [:]]),
            ("apps/v1", "Deployment", [:]), ("batch/v1", "Job", [:]), ("v1", "Node", ["phase": "forged"]),
        ] as [(String, String, JSON)])
    func objectsBeginAnew(apiVersion: String, kind: String, status: JSON) throws {
        var object = Object(["metadata": ["name": "x"], "status": ["phase": "forged"]])
        try Sample.kind(apiVersion, kind).strategy.prepareForCreate(&object)
        #expect(object.status == status)
    }

    /// A pod's grace period, by the node it has, its phase, its own period and the one that is asked for.
    @Test(
        arguments: [
            ("", "Pending", 30, 5, 0), ("n", "Running", 30, nil, 30), ("n", "Running", 30, 5, 5),
            ("n", "Succeeded", 30, nil, 0), ("n", "Failed", 30, 9, 0), ("n", "Running", -1, nil, 1),
        ] as [(String, String, Int, Int?, Int)])
    func podsHaveTimeToEnd(node: String, phase: String, own: Int, requested: Int?, seconds: Int) throws {
        let pod = Object([
            "spec": ["nodeName": .string(node), "terminationGracePeriodSeconds": JSON(own)],
            "status": ["phase": .string(phase)],
        ])
        #expect(try Sample.kind("v1", "Pod").strategy.gracePeriod(pod, requested) == seconds)
    }

    @Test func namespacesStayUntilTheyAreEmpty() throws {
        let strategy = try Sample.kind("v1", "Namespace").strategy
        var namespace = Object(["metadata": ["name": "x"]])
        strategy.prepareForCreate(&namespace)
        #expect(strategy.keeps(namespace))
        strategy.prepareForDelete(&namespace)
        #expect(namespace.status["phase"] == "Terminating")
        namespace.spec["finalizers"] = []
        #expect(!strategy.keeps(namespace))
    }

    @Test func jobsFindTheirPodsByUID() throws {
        var job = Object(["metadata": ["name": "j", "uid": "u"], "spec": [:]])
        try Sample.kind("batch/v1", "Job").strategy.prepareForCreate(&job)
        #expect(job.spec["selector"] == ["matchLabels": ["batch.kubernetes.io/controller-uid": "u"]])
        #expect(job.spec["template"]["metadata"]["labels"]["job-name"] == "j")
    }

    /// Each kind that is served in two versions, and a field's path in either.
    @Test(
        arguments: [
            ("v1", "events.k8s.io/v1", "Event", ["message": "m"], ["note": "m"]),
            (
                "autoscaling/v2", "autoscaling/v1", "HorizontalPodAutoscaler",
                [
                    "spec": [
                        "metrics": [
                            [
                                "type": "Resource",
                                "resource": [
                                    "name": "cpu", "target": ["type": "Utilization", "averageUtilization": 7],
                                ],
                            ]
                        ]
                    ]
                ],
                ["spec": ["targetCPUUtilizationPercentage": 7]]
            ),
        ] as [(String, String, String, JSON, JSON)])
    func versionsConvert(stored: String, served: String, kind: String, fields: JSON, converted: JSON) throws {
        var object = Object(fields)
        object["apiVersion"] = .string(stored)
        var other = Object(converted)
        other["apiVersion"] = .string(served)
        #expect(try Sample.kind(served, kind).converted(object) == other)
        #expect(try Sample.kind(stored, kind).converted(other) == object)
    }

    /// Objects that nothing acts on are created with a warning.
    @Test func saysWhatNothingReconciles() {
        let kinds = Catalogue.builtIn.kinds.filter { $0.creationWarning != nil }
        #expect(kinds.map(\.type) == Catalogue.builtIn.kinds.filter { $0.waitingWarning != nil }.map(\.type))
        #expect(
            Set(kinds.map(\.type.groupResource)) == [
                "apiservices.apiregistration.k8s.io", "certificatesigningrequests.certificates.k8s.io",
                "clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
                "cronjobs.batch", "customresourcedefinitions.apiextensions.k8s.io", "daemonsets.apps",
                "horizontalpodautoscalers.autoscaling", "ingresses.networking.k8s.io", "jobs.batch", "limitranges",
                "mutatingwebhookconfigurations.admissionregistration.k8s.io", "networkpolicies.networking.k8s.io",
                "persistentvolumeclaims", "persistentvolumes", "resourcequotas",
                "rolebindings.rbac.authorization.k8s.io",
                "roles.rbac.authorization.k8s.io", "statefulsets.apps",
                "validatingadmissionpolicies.admissionregistration.k8s.io",
                "validatingadmissionpolicybindings.admissionregistration.k8s.io",
                "validatingwebhookconfigurations.admissionregistration.k8s.io",
            ])
    }
}
