import KubernetesModel

/// What brings the pods of an owner of replicas to the number that its spec asks for.
struct ReplicaPlan {
    private(set) var create = 0
    private(set) var delete: [Object] = []

    /// The max number of pods that are created or deleted in one go, as upstream.
    static let burst = 500

    /// - Parameters:
    ///   - claim: the active pods that the owner claims.
    ///   - related: pods of the owner and its siblings.
    init(owner: Object, claim: Claim, related: [Object], now: Timestamp) {
        guard !owner.isBeingDeleted else { return }
        // An adopted pod counts and is ranked as any other: it may be the one that is missed least.
        let pods = claim.kept + claim.adopt
        let difference = pods.count - owner.replicas
        if difference < 0 {
            create = min(-difference, Self.burst)
        } else if difference > 0 {
            delete = PodRanking.first(min(difference, Self.burst), of: pods, related: related, now: now)
        }
    }

    /// The sizes of the rounds in which `count` pods are created: doubling, so that a fault that hits every creation
    /// costs one request and not hundreds.
    static func rounds(_ count: Int) -> [Int] {
        var rounds: [Int] = []
        var left = count
        var size = 1
        while left > 0 {
            rounds.append(min(size, left))
            left -= min(size, left)
            size *= 2
        }
        return rounds
    }

    /// The pod that the owner's template describes. The server completes its name.
    static func pod(for owner: Object) -> Object {
        let template = owner.spec["template"]
        var pod = Object(["apiVersion": "v1", "kind": "Pod", "metadata": ["generateName": .string(owner.name + "-")]])
        pod.metadata["namespace"] = .string(owner.namespace)
        for field in ["labels", "annotations", "finalizers"] { pod.metadata[field] = template["metadata"][field] }
        pod.metadata["ownerReferences"] = [OwnerReference(controller: owner).json]
        pod.spec = template["spec"]
        return pod
    }
}

/// The status of a ReplicaSet or ReplicationController.
enum ReplicaStatus {
    /// Why creating or deleting pods failed.
    struct Failure {
        let reason: String
        let message: String
    }

    static func status(of owner: Object, pods: [Object], failure: Failure?, now: Timestamp) -> JSON {
        let templateLabels = owner.spec["template"]["metadata"]["labels"].stringMap
        let minReadySeconds = owner.spec["minReadySeconds"].int ?? 0
        var status = owner.status
        status["replicas"] = JSON(pods.count)
        status.setCount(
            "fullyLabeledReplicas",
            pods.count { pod in
                let labels = pod.labels
                return templateLabels.allSatisfy { labels[$0.key] == $0.value }
            })
        status.setCount("readyReplicas", pods.count(where: \.isReadyPod))
        status.setCount(
            "availableReplicas", pods.count { $0.isAvailablePod(minReadySeconds: minReadySeconds, now: now) })
        status["observedGeneration"] = JSON(owner.generation)
        if let failure {
            if status.conditions["ReplicaFailure"] == nil {
                status.conditions.set(
                    Condition("ReplicaFailure", true, reason: failure.reason, message: failure.message), now: now)
            }
        } else {
            status.conditions.remove("ReplicaFailure")
        }
        return status
    }

    /// Seconds until the next of the ready pods becomes available.
    static func secondsToNextAvailable(of owner: Object, pods: [Object], now: Timestamp) -> Double? {
        let minReadySeconds = owner.spec["minReadySeconds"].int ?? 0
        guard minReadySeconds > 0 else { return nil }
        return pods.compactMap { $0.secondsToAvailable(minReadySeconds: minReadySeconds, now: now) }
            .filter { $0 > 0 }.min()
    }
}

extension Object {
    /// `spec.replicas` of anything that has them.
    var replicas: Int {
        get { spec["replicas"].int ?? 1 }
        set { spec["replicas"] = JSON(newValue) }
    }
}
