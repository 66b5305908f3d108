import APIMachinery
import KubernetesModel

extension Defaulting {
    static func deployment(_ object: inout Object) {
        object.json.change("spec") { spec in
            spec.fill("replicas", 1)
            spec.fill("revisionHistoryLimit", 10)
            spec.fill("progressDeadlineSeconds", 600)
            var strategy = spec["strategy"].object.map(JSON.object) ?? [:]
            strategy.fill("type", "RollingUpdate")
            if strategy["type"] == "RollingUpdate" {
                strategy["rollingUpdate"].fill("maxUnavailable", "25%")
                strategy["rollingUpdate"].fill("maxSurge", "25%")
            }
            spec["strategy"] = strategy
            spec.change("template", podTemplate)
        }
    }

    static func replicaSet(_ object: inout Object) {
        object.json.change("spec") { spec in
            spec.fill("replicas", 1)
            spec.change("template", podTemplate)
        }
    }

    static func replicationController(_ object: inout Object) {
        let labels = object.spec["template"]["metadata"]["labels"]
        if labels.object?.isEmpty == false {
            object.json["spec"].fill("selector", labels)
            object.json["metadata"].fill("labels", labels)
        }
        replicaSet(&object)
    }

    static func daemonSet(_ object: inout Object) {
        object.json.change("spec") { spec in
            spec.fill("revisionHistoryLimit", 10)
            spec["updateStrategy"].fill("type", "RollingUpdate")
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                spec["updateStrategy"]["rollingUpdate"].fill("maxUnavailable", 1)
                spec["updateStrategy"]["rollingUpdate"].fill("maxSurge", 0)
            }
            spec.change("template", podTemplate)
        }
    }

    static func statefulSet(_ object: inout Object) {
        object.json.change("spec") { spec in
            spec.fill("replicas", 1)
            spec.fill("revisionHistoryLimit", 10)
            spec.fill("podManagementPolicy", "OrderedReady")
            spec["updateStrategy"].fill("type", "RollingUpdate")
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                spec["updateStrategy"]["rollingUpdate"].fill("partition", 0)
            }
            spec["persistentVolumeClaimRetentionPolicy"].fill("whenDeleted", "Retain")
            spec["persistentVolumeClaimRetentionPolicy"].fill("whenScaled", "Retain")
            spec.changeEach("volumeClaimTemplates") { claim in
                claim.fill("apiVersion", "v1")
                claim.fill("kind", "PersistentVolumeClaim")
                claim["spec"].fill("volumeMode", "Filesystem")
                claim["status"].fill("phase", "Pending")
            }
            spec.change("template", podTemplate)
        }
    }

    static func job(_ object: inout Object) {
        object.json.change("spec", jobSpec)
    }

    private static func jobSpec(_ spec: inout JSON) {
        if spec["completions"].isNull, spec["parallelism"].isNull { spec["completions"] = 1 }
        spec.fill("parallelism", 1)
        spec.fill("backoffLimit", spec["backoffLimitPerIndex"].isNull ? 6 : 2_147_483_647)
        spec.fill("completionMode", "NonIndexed")
        spec.fill("suspend", false)
        spec.fill("podReplacementPolicy", spec["podFailurePolicy"].isNull ? "TerminatingOrFailed" : "Failed")
        spec.change("podFailurePolicy") { policy in
            policy.changeEach("rules") { rule in
                rule.changeEach("onPodConditions") { $0.fill("status", "True") }
            }
        }
        spec.change("template", podTemplate)
    }

    static func cronJob(_ object: inout Object) {
        object.json.change("spec") { spec in
            spec.fill("concurrencyPolicy", "Allow")
            spec.fill("suspend", false)
            spec.fill("successfulJobsHistoryLimit", 3)
            spec.fill("failedJobsHistoryLimit", 1)
            spec.change("jobTemplate") { template in
                template.change("spec") { $0.change("template", podTemplate) }
            }
        }
    }
}
