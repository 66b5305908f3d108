import APIClient
import KubernetesModel

/// The Services that a change of a pod concerns.
enum ServiceMembership {
    static func enqueue(_ change: Change, services: Informer, _ queue: WorkQueue<ObjectKey>) {
        let pod = change.object
        var labelSets = [pod.labels]
        if case .updated(let old, let new) = change {
            guard isVisible(from: old, to: new) else { return }
            if old.labels != new.labels { labelSets.append(old.labels) }
        }
        for service in services.list(namespace: pod.namespace) where service.hasManagedEndpoints {
            guard let selector = LabelSelector(podsOf: service) else { continue }
            if labelSets.contains(where: selector.matches) { queue.add(service.key) }
        }
    }

    /// Whether anything changed that endpoints are made of.
    static func isVisible(from old: Object, to new: Object) -> Bool {
        old.isReadyPod != new.isReadyPod || old.isBeingDeleted != new.isBeingDeleted
            || old.podAddresses != new.podAddresses || old.hasEnded != new.hasEnded || old.nodeName != new.nodeName
            || old.labels != new.labels || old.spec["hostname"] != new.spec["hostname"]
    }
}
