import APIClient
import KubernetesModel
import Synchronization

/// The pods that a controller created or deleted and that its informer may not show yet.
///
/// Until it shows them, the controller must not count pods: it would create or delete the same ones again.
final class Expectations: Sendable {
    private struct Expected {
        /// The revision of the last pod that was created.
        var revision = 0
        var deleted: Set<ObjectKey> = []
        var deletedUIDs: Set<String> = []
    }

    private let expected = Mutex<[ObjectKey: Expected]>([:])

    func created(_ pod: Object, by owner: ObjectKey) {
        let revision = Int(pod.resourceVersion) ?? 0
        expected.withLock { expected in
            expected[owner, default: Expected()].revision = max(expected[owner]?.revision ?? 0, revision)
        }
    }

    func deleted(_ pod: Object, by owner: ObjectKey) {
        expected.withLock { expected in
            expected[owner, default: Expected()].deleted.insert(pod.key)
            expected[owner]?.deletedUIDs.insert(pod.uid)
        }
    }

    func forget(_ owner: ObjectKey) { expected.withLock { _ = $0.removeValue(forKey: owner) } }

    /// Whether `pods` shows all that was created and deleted for `owner`.
    func areMet(for owner: ObjectKey, by pods: Informer) -> Bool {
        guard let expectation = expected.withLock({ $0[owner] }) else { return true }
        guard (Int(pods.resourceVersion) ?? 0) >= expectation.revision else { return false }
        for key in expectation.deleted {
            if let pod = pods.get(key), !pod.isBeingDeleted, expectation.deletedUIDs.contains(pod.uid) { return false }
        }
        forget(owner)
        return true
    }
}
