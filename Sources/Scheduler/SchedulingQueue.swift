import KubernetesModel
import Retrying

/// The pods that wait for a node, in three places: ready to be tried (`active`), tried too recently (`backingOff`), and
/// to be tried when something changes (`unschedulable`).
///
/// It knows no clock: whoever calls says what time it is.
struct SchedulingQueue {
    struct Entry: Sendable {
        var pod: PodInfo
        var attempts = 0
        /// Its place among pods of the same priority.
        let order: Int
        var retryAt: ContinuousClock.Instant?
        /// What rejected it when it was last tried.
        var rejectedBy: Set<Rejection.Filter> = []
        var rejectedAt: ContinuousClock.Instant?
    }

    /// What happened in the cluster, as far as it can make a pod schedulable.
    enum ClusterEvent {
        case nodeChanged
        /// A pod left a node, or ended.
        case podLeft
        /// A pod was given a node or new labels.
        case podPlaced
        case claimChanged
        /// So long has nothing happened that whatever was missed is made good.
        case timePassed

        func concerns(_ filters: Set<Rejection.Filter>) -> Bool {
            switch self {
            case .nodeChanged, .timePassed: true
            case .podLeft:
                filters.isEmpty
                    || !filters.isDisjoint(with: [
                        .nodeResourcesFit, .nodePorts, .podTopologySpread, .interPodAffinity,
                    ])
            case .claimChanged: filters.contains(.volumeBinding)
            case .podPlaced: !filters.isDisjoint(with: [.podTopologySpread, .interPodAffinity])
            }
        }
    }

    private enum Place { case active, backingOff, unschedulable }

    private let backoff: Backoff
    /// After this long an unschedulable pod is tried again, whatever happened.
    private let longestWait: Duration = .seconds(300)

    private var entries: [String: Entry] = [:]
    private var places: [String: Place] = [:]
    private var active = Heap()
    private var nextOrder = 0

    init(backoff: Backoff) { self.backoff = backoff }

    var count: Int { entries.count }

    /// Adds a pod, or brings a waiting one up to date; one whose spec changed is tried again.
    mutating func put(_ pod: PodInfo) {
        guard var entry = entries[pod.uid] else {
            entries[pod.uid] = Entry(pod: pod, order: nextOrder)
            nextOrder += 1
            activate(pod.uid)
            return
        }
        let isChanged = entry.pod.object.spec != pod.object.spec || entry.pod.labels != pod.labels
        entry.pod = pod
        entries[pod.uid] = entry
        if isChanged, places[pod.uid] == .unschedulable { activate(pod.uid) }
    }

    mutating func remove(_ uid: String) {
        entries[uid] = nil
        places[uid] = nil
    }

    /// The pod to try next: of the highest priority, and of those the first that came. It is out of the queue then.
    mutating func takeFirst() -> Entry? {
        while let uid = active.removeFirst() {
            // A pod that was removed or moved is still in the heap.
            guard places[uid] == .active, var entry = entries.removeValue(forKey: uid) else { continue }
            places[uid] = nil
            entry.attempts += 1
            return entry
        }
        return nil
    }

    /// Puts back a pod that no node suited.
    mutating func rejected(_ entry: Entry, by filters: Set<Rejection.Filter>, now: ContinuousClock.Instant) {
        var entry = entry
        entry.rejectedBy = filters
        entry.rejectedAt = now
        entry.retryAt = now + backoff.delay(afterFailure: entry.attempts)
        entries[entry.pod.uid] = entry
        places[entry.pod.uid] = .unschedulable
    }

    /// Puts back a pod that could not be bound for some other reason.
    mutating func failed(_ entry: Entry, now: ContinuousClock.Instant) {
        rejected(entry, by: [], now: now)
        places[entry.pod.uid] = .backingOff
    }

    /// Has the pods tried again that the event may have made schedulable.
    mutating func moveAll(on event: ClusterEvent, now: ContinuousClock.Instant) {
        for (uid, place) in places where place == .unschedulable {
            guard let entry = entries[uid], event.concerns(entry.rejectedBy) else { continue }
            if let retryAt = entry.retryAt, retryAt > now { places[uid] = .backingOff } else { activate(uid) }
        }
    }

    /// Ends what is due: waits between attempts, and waits that took too long.
    mutating func advance(to now: ContinuousClock.Instant) {
        for (uid, place) in places {
            guard place != .active, let moment = due(uid, place), moment <= now else { continue }
            activate(uid)
        }
    }

    /// When `advance` has something to do next.
    var nextDue: ContinuousClock.Instant? {
        places.compactMap { $0.value == .active ? nil : due($0.key, $0.value) }.min()
    }

    private func due(_ uid: String, _ place: Place) -> ContinuousClock.Instant? {
        switch place {
        case .active: nil
        case .backingOff: entries[uid]?.retryAt
        case .unschedulable: entries[uid]?.rejectedAt.map { $0 + longestWait }
        }
    }

    private mutating func activate(_ uid: String) {
        guard let entry = entries[uid] else { return }
        places[uid] = .active
        active.insert(.init(priority: entry.pod.priority, order: entry.order, uid: uid))
    }
}
