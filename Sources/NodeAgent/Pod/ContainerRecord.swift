import KubernetesModel
import PodRuntime
import Retrying

/// What the agent knows of one container of a pod.
struct ContainerRecord: Sendable {
    enum Role: Sendable, Hashable {
        case initial
        /// An init container with `restartPolicy: Always`.
        case sidecar
        case main
        case ephemeral
    }

    enum State: Sendable, Equatable {
        /// Not running; the next attempt is at `until`, or at once where that is nil.
        case waiting(reason: String, message: String?, until: Timestamp?)
        /// An attempt to start it is under way; until it ends, the status shows `shown`.
        case starting(shown: Shown)
        case running(since: Timestamp)
        case terminated(Termination)
    }

    enum Shown: Sendable, Equatable {
        case waiting(reason: String, message: String?)
        case terminated(Termination)
    }

    let name: String
    let role: Role
    var spec: JSON
    var state: State
    /// The number of the current or latest run; nil before the first.
    var run: Int?
    /// How the run before the current one ended.
    var last: Termination?
    var imageID = ""
    /// The startup probe has passed, or there is none, and the postStart hook has ended.
    var isStarted = false
    var isReady = false
    var hookPending = false
    /// The moment at which it is killed, once it is being stopped.
    var stopDeadline: Timestamp?
    /// An end that was reported before the start was.
    var earlyExit: Termination?
    var crashBackoff = Backoff.crashLoop
    var pullBackoff = Backoff.imagePull

    init(spec: JSON, role: Role) {
        name = spec["name"].string ?? ""
        self.role = role
        self.spec = spec
        state = .waiting(reason: "ContainerCreating", message: nil, until: nil)
    }

    func id(podUID: String) -> ContainerID { ContainerID(podUID: podUID, name: name, restart: run ?? 0) }

    var isRunning: Bool { if case .running = state { true } else { false } }
    var isStarting: Bool { if case .starting = state { true } else { false } }
    var termination: Termination? { if case .terminated(let end) = state { end } else { nil } }
    /// Its latest end, also while it waits for its next start.
    var latestEnd: Termination? {
        switch state {
        case .terminated(let end): end
        case .waiting: last
        case .starting(.terminated(let end)): end
        case .starting, .running: nil
        }
    }

    /// Its start is not over before its postStart hook is.
    var awaitsPostStart: Bool { hookPending || (isStarting && !spec["lifecycle"]["postStart"].isNull) }

    func has(_ probe: ProbeKind) -> Bool { !spec[probe.field].isNull }

    /// One of `containerStatuses`.
    var status: JSON {
        var json: JSON = [
            "name": .string(name), "image": spec["image"], "imageID": .string(imageID),
            "restartCount": JSON(run ?? 0), "ready": .bool(isReadyForStatus), "started": .bool(isStarted),
            "lastState": [:],
        ]
        if let last { json["lastState"] = ["terminated": last.json] }
        switch state {
        case .waiting(let reason, let message, _), .starting(.waiting(let reason, let message)):
            json["state"]["waiting"] = ["reason": .string(reason)]
            if let message { json["state"]["waiting"]["message"] = .string(message) }
            if let last { json["containerID"] = .string(last.containerID) }
        case .running(let since):
            json["state"]["running"] = ["startedAt": .string(since.description)]
        case .terminated(let end), .starting(.terminated(let end)):
            json["state"]["terminated"] = end.json
            json["containerID"] = .string(end.containerID)
        }
        return json
    }

    /// An init container is ready when it has done its work; an ephemeral one has no readiness.
    private var isReadyForStatus: Bool {
        switch role {
        case .initial: termination?.exitCode == 0
        case .ephemeral: false
        case .main, .sidecar: isReady
        }
    }
}
