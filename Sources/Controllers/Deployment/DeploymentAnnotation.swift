import KubernetesModel

/// The annotations with the revisions and sizes of a Deployment and its ReplicaSets.
enum DeploymentAnnotation {
    static let revision = "deployment.kubernetes.io/revision"
    static let revisionHistory = "deployment.kubernetes.io/revision-history"
    static let desiredReplicas = "deployment.kubernetes.io/desired-replicas"
    static let maxReplicas = "deployment.kubernetes.io/max-replicas"

    /// Those of a Deployment that its ReplicaSets do not get.
    private static let own: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", revision, revisionHistory, desiredReplicas, maxReplicas,
        "deprecated.deployment.rollback.to",
    ]

    /// Gives the newest ReplicaSet what it inherits from its Deployment, and its revision.
    static func inherit(from deployment: Object, to replicaSet: inout Object, revision newRevision: Int) {
        var annotations = replicaSet.annotations
        for (key, value) in deployment.annotations where !own.contains(key) { annotations[key] = value }
        let before = annotations[revision]
        if (before.flatMap(Int.init) ?? 0) < newRevision {
            annotations[revision] = String(newRevision)
            // A ReplicaSet that is rolled back to keeps the revisions that it had.
            if let before {
                annotations[revisionHistory] = annotations[revisionHistory].map { "\($0),\(before)" } ?? before
            }
        }
        replicaSet.setAnnotations(annotations)
    }
}

extension Object {
    var revision: Int { annotations[DeploymentAnnotation.revision].flatMap(Int.init) ?? 0 }
}
