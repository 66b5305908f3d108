import KubernetesModel
import PodRuntime

/// What happened to a pod: the input of `PodStateMachine`.
enum PodEvent: Sendable {
    /// The pod as the API has it now.
    case specification(Object)
    /// The API has the pod no more, without this agent having deleted it.
    case gone
    /// It uses more of the node than it may; the message for its status.
    case evicted(String)
    /// The volumes are there, or have been brought up to date; `renewal` is when a token in them has to be renewed.
    case volumesReady(renewal: Timestamp? = nil)
    case volumesFailed(String)
    case sandboxReady(address: String?)
    case sandboxFailed(String)
    /// A container could not be started, for the pod's sandbox has died.
    case sandboxLost(ContainerID)
    case started(ContainerID, StartedContainer)
    case startFailed(ContainerID, StartFailure)
    /// The postStart hook of a container has ended.
    case postStartEnded(ContainerID, failed: Bool)
    case exited(ContainerID, Termination)
    case probe(ContainerID, ProbeKind, ProbeVerdict)
    /// A ConfigMap or Secret that the pod refers to has changed.
    case referencesChanged
    /// The end of the pod's containers is recorded in the API and its sandbox is removed.
    case concluded
    /// Nothing is left of the pod, here or in the API.
    case finished
    /// The moment of a `PodAction.wake` has come.
    case timer
}

/// What to do for a pod: the output of `PodStateMachine`.
enum PodAction: Sendable, Equatable {
    /// Makes the volumes, or brings them up to date. The next follows once this one's end is reported.
    case prepareVolumes
    case startSandbox
    case start(ContainerID)
    /// Runs the preStop hook, sends the stop signal, and kills after `grace` seconds.
    case stop(ContainerID, grace: Double)
    /// Drops the writable layer and all but the log of an earlier run.
    case forget(ContainerID)
    case startProbes(ContainerID, [ProbeKind])
    case stopProbes(ContainerID, [ProbeKind])
    case record(PodNotice)
    case wake(at: Timestamp)
    /// Writes the last status of a pod whose containers have all ended, then removes its sandbox.
    case conclude
    /// Removes sandbox, volumes and address, and the pod itself from the API where it is still there.
    case finish(deleteFromAPI: Bool)
}

extension ProbeKind {
    /// The event about a probe's result; nil for a mere success.
    func notice(of result: ProbeResult, container: String) -> PodNotice? {
        switch result {
        case .success: nil
        case .warning(let text):
            .warning("ProbeWarning", "\(rawValue) probe warning: \(text)", container: container)
        case .failure(let text): .warning("Unhealthy", "\(rawValue) probe failed: \(text)", container: container)
        }
    }
}

/// An event in Kubernetes' sense, about a pod or one of its containers.
struct PodNotice: Sendable, Equatable {
    var warning: Bool
    var reason: String
    var message: String
    /// Nil for the pod as a whole.
    var container: String?

    static func normal(_ reason: String, _ message: String, container: String? = nil) -> PodNotice {
        PodNotice(warning: false, reason: reason, message: message, container: container)
    }
    static func warning(_ reason: String, _ message: String, container: String? = nil) -> PodNotice {
        PodNotice(warning: true, reason: reason, message: message, container: container)
    }
}

struct StartedContainer: Sendable, Equatable {
    var startedAt: Timestamp
    var imageID: String
    /// A postStart hook runs; its end follows as `PodEvent.postStartEnded`.
    var hookPending = false
}
