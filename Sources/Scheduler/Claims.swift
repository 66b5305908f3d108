import KubernetesModel

/// The PersistentVolumeClaims that there are, and how their classes are bound. A pod whose volumes name a claim that is
/// not there, or that has no volume, is not given a node, as upstream's VolumeBinding has it.
///
/// Nothing in the cluster provides volumes: a claim has the one that its `spec.volumeName` says, or none.
struct Claims: Sendable {
    private struct Claim: Sendable {
        let isBeingDeleted: Bool
        /// Empty until the claim is bound.
        let volume: String
        /// Whether it had a volume, which is gone.
        let isLost: Bool
        let storageClass: String
    }

    private var claims: [ObjectKey: Claim] = [:]
    /// The StorageClasses whose claims are bound only when a pod that uses them is given a node.
    private var waitingClasses: Set<String> = []

    mutating func put(_ claim: Object) {
        claims[claim.key] = Claim(
            isBeingDeleted: claim.isBeingDeleted, volume: claim.spec["volumeName"].string ?? "",
            isLost: claim.status["phase"] == "Lost",
            storageClass: claim.annotations["volume.beta.kubernetes.io/storage-class"]
                ?? claim.spec["storageClassName"].string ?? "")
    }

    mutating func remove(_ key: ObjectKey) { claims[key] = nil }

    mutating func put(storageClass: Object) {
        if storageClass["volumeBindingMode"] == "WaitForFirstConsumer" {
            waitingClasses.insert(storageClass.name)
        } else {
            waitingClasses.remove(storageClass.name)
        }
    }

    mutating func remove(storageClass name: String) { waitingClasses.remove(name) }

    /// What is wrong with the claims of a pod whatever the node: with the first that it cannot use, or that one has no
    /// volume and does not wait for a node. Nil where there is no such claim.
    func fault(for pod: PodInfo) -> String? {
        var hasUnbound = false
        for name in pod.claims {
            let what = "persistentvolumeclaim \"\(name)\""
            guard let claim = claim(name, of: pod) else { return "\(what) not found" }
            if claim.isLost { return "\(what) bound to non-existent persistentvolume \"\(claim.volume)\"" }
            if claim.isBeingDeleted { return "\(what) is being deleted" }
            if claim.volume.isEmpty, !waitingClasses.contains(claim.storageClass) { hasUnbound = true }
        }
        return hasUnbound ? "pod has unbound immediate PersistentVolumeClaims" : nil
    }

    /// Whether a claim of the pod is to get its volume on the pod's node.
    func lacksVolume(_ pod: PodInfo) -> Bool {
        pod.claims.contains { claim($0, of: pod)?.volume.isEmpty ?? false }
    }

    private func claim(_ name: String, of pod: PodInfo) -> Claim? {
        claims[ObjectKey(namespace: pod.key.namespace, name: name)]
    }
}
