import KubernetesModel

/// Decides when which status of a pod is written, without input or output.
///
/// One write is under way at a time, and only of a status that differs from what was written last. What a user waits
/// for (ready or not, ended) is written at once; the rest is held back for a moment, so that a pod that becomes ready
/// meanwhile costs one write.
struct StatusPublication: Sendable {
    enum Step: Sendable, Equatable {
        case nothing
        /// Write this; `completed` is to follow.
        case write(JSON)
        /// Call `release` a moment later.
        case hold
    }

    private var wanted: JSON?
    private var written: JSON?
    private var writing: JSON?
    private var isHeld = false
    private var isDue = false

    /// The API has this status already.
    mutating func assume(_ status: JSON) {
        wanted = status
        written = status
    }

    /// Takes the status as it is now.
    mutating func offer(_ status: JSON) -> Step {
        wanted = status
        return next()
    }

    /// Takes a status to be written without delay.
    mutating func demand(_ status: JSON) -> Step {
        isDue = true
        return offer(status)
    }

    /// The moment for which a status was held back is over.
    mutating func release() -> Step {
        isHeld = false
        isDue = true
        return next()
    }

    /// A write has ended; a failed one is repeated, with the latest status.
    mutating func completed(success: Bool) -> Step {
        if success { written = writing } else { isDue = true }
        writing = nil
        return next()
    }

    /// Whether the API has what was offered last.
    var isSettled: Bool { writing == nil && wanted == written }

    private mutating func next() -> Step {
        guard writing == nil else { return .nothing }
        guard let wanted, wanted != written else {
            isDue = false
            return .nothing
        }
        if isDue || isUrgent(wanted) {
            isDue = false
            writing = wanted
            return .write(wanted)
        }
        if isHeld { return .nothing }
        isHeld = true
        return .hold
    }

    private func isUrgent(_ status: JSON) -> Bool {
        let before = written ?? .null
        return Self.isReady(status) != Self.isReady(before) || Self.isTerminal(status) != Self.isTerminal(before)
    }

    private static func isReady(_ status: JSON) -> Bool {
        status["conditions"].items.contains { $0["type"].string == "Ready" && $0["status"].string == "True" }
    }
    private static func isTerminal(_ status: JSON) -> Bool {
        ["Failed", "Succeeded"].contains(status["phase"].string)
    }
}
