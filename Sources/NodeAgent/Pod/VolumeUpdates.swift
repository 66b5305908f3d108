import KubernetesModel
import Retrying

/// When the content of a running pod's volumes is updated: after each change of its sources, and when a token's renewal
/// is due. One update at a time; a failed one is repeated.
struct VolumeUpdates: Sendable, Equatable {
    /// When the next update begins; nil for none.
    private var due: Timestamp?
    private(set) var isUnderWay = false
    private var backoff = Backoff.volumes

    /// Asks for an update that begins no earlier than `moment`, also where one is under way.
    mutating func ask(at moment: Timestamp) { due = min(due ?? moment, moment) }

    mutating func ended(renewal: Timestamp?, now: Timestamp) {
        isUnderWay = false
        backoff.reset()
        // However short a token's life is, it is not asked for without a pause.
        if let renewal { ask(at: max(renewal, now.advanced(by: 1))) }
    }

    mutating func failed(now: Timestamp) {
        isUnderWay = false
        ask(at: now.advanced(by: backoff.next().inSeconds))
    }

    mutating func advance(now: Timestamp) -> [PodAction] {
        guard !isUnderWay, let due else { return [] }
        guard due <= now else { return [.wake(at: due)] }
        self.due = nil
        isUnderWay = true
        return [.prepareVolumes]
    }
}
