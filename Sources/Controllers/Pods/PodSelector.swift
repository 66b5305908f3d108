import KubernetesModel

extension LabelSelector {
    /// The pods that a Deployment, ReplicaSet, ReplicationController or Service selects.
    ///
    /// Nil where there is no selector, or an empty one: such an owner selects nothing.
    init?(podsOf owner: Object) {
        let selector = owner.spec["selector"]
        let parsed =
            owner.apiVersion == "v1" ? LabelSelector(labels: selector.stringMap) : LabelSelector(selector)
        guard !parsed.matchesNothing, !parsed.isEmpty else { return nil }
        self = parsed
    }
}
