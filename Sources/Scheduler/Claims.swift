import KubernetesModel

/// The PersistentVolumeClaims that there are. A pod whose volumes name one that is not is not given a node, as upstream's
/// VolumeBinding has it.
struct Claims: Sendable {
    private struct Claim: Sendable {
        let isBeingDeleted: Bool
        /// The volume that it had and that is gone.
        let lostVolume: String?
    }

    private var claims: [ObjectKey: Claim] = [:]

    mutating func put(_ claim: Object) {
        let isLost = claim.status["phase"] == "Lost"
        claims[claim.key] = Claim(
            isBeingDeleted: claim.isBeingDeleted, lostVolume: isLost ? claim.spec["volumeName"].string ?? "" : nil)
    }

    mutating func remove(_ key: ObjectKey) { claims[key] = nil }

    /// What is wrong with the first claim of a pod that it cannot use; nil where it can use them all.
    func fault(for pod: PodInfo) -> String? {
        for name in pod.claims {
            let what = "persistentvolumeclaim \"\(name)\""
            guard let claim = claims[ObjectKey(namespace: pod.key.namespace, name: name)] else {
                return "\(what) not found"
            }
            if let volume = claim.lostVolume { return "\(what) bound to non-existent persistentvolume \"\(volume)\"" }
            if claim.isBeingDeleted { return "\(what) is being deleted" }
        }
        return nil
    }
}
