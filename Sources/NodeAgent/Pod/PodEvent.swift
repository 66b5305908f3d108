import KubernetesModel

/// What happened to a pod: the input of `PodStateMachine`.
enum PodEvent: Sendable {
    /// The pod as the API has it now.
    case specification(Object)
    /// The API has the pod no more, without this agent having deleted it.
    case gone
    case volumesReady
    case volumesFailed(String)
    case sandboxReady(address: String?)
    case sandboxFailed(String)
    case started(ContainerID, StartedContainer)
    case startFailed(ContainerID, StartFailure)
    /// The postStart hook of a container has ended; its fault, if it failed.
    case postStartEnded(ContainerID, failure: String?)
    case exited(ContainerID, Termination)
    case probe(ContainerID, ProbeKind, ProbeVerdict)
    /// A ConfigMap or Secret that the pod refers to has changed.
    case referencesChanged
    /// The end of the pod's containers is recorded in the API and its sandbox is removed.
    case concluded
    /// Nothing is left of the pod, here or in the API.
    case finished
    /// A moment that was asked for with `PodAction.wake` has come.
    case timer
}

/// What is to be done for a pod: the output of `PodStateMachine`.
enum PodAction: Sendable, Equatable {
    case prepareVolumes
    case updateVolumes
    case startSandbox
    case start(ContainerID)
    /// Runs the preStop hook, sends the stop signal, and kills after `grace` seconds.
    case stop(ContainerID, grace: Double)
    /// Drops the writable layer and all but the log of an earlier run.
    case forget(ContainerID)
    case startProbes(ContainerID, [ProbeKind])
    case stopProbes(ContainerID)
    case record(PodNotice)
    case wake(at: Timestamp)
    /// Writes the last status of a pod whose containers have all ended, then removes its sandbox.
    case conclude
    /// Removes sandbox, volumes and address, and the pod itself from the API where it is still there.
    case finish(deleteFromAPI: Bool)
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

/// Why a container could not be started.
enum StartFailure: Error, Sendable, Equatable {
    /// `ErrImagePull`, `InvalidImageName`, `ErrImageNeverPull`
    case image(reason: String, message: String)
    /// `CreateContainerConfigError`, `CreateContainerError`: the container's configuration cannot be made.
    case configuration(reason: String, message: String)
    /// The program could not be executed: the run counts, with reason `StartError`.
    case program(String)
}

/// How one run of a container ended, as `state.terminated` has it.
struct Termination: Sendable, Equatable {
    var exitCode: Int32
    var signal: Int32 = 0
    var reason: String
    var message: String?
    var startedAt: Timestamp
    var finishedAt: Timestamp
    var containerID: String

    /// Seconds that it ran; 0 for a program that never did.
    var duration: Double { startedAt.seconds == 0 ? 0 : finishedAt.since(startedAt) }

    var json: JSON {
        var json: JSON = [
            "exitCode": JSON(Int(exitCode)), "reason": .string(reason), "startedAt": .string(startedAt.description),
            "finishedAt": .string(finishedAt.description), "containerID": .string(containerID),
        ]
        if signal != 0 { json["signal"] = JSON(Int(signal)) }
        if let message, !message.isEmpty { json["message"] = .string(message) }
        return json
    }

    init(
        exitCode: Int32, signal: Int32 = 0, reason: String, message: String? = nil, startedAt: Timestamp,
        finishedAt: Timestamp, containerID: String
    ) {
        self.exitCode = exitCode
        self.signal = signal
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.containerID = containerID
    }

    /// Reads `state.terminated`; nil for anything else.
    init?(_ json: JSON) {
        guard let exitCode = json["exitCode"].int else { return nil }
        let epoch = Timestamp(seconds: 0)
        self.init(
            exitCode: Int32(truncatingIfNeeded: exitCode), signal: Int32(truncatingIfNeeded: json["signal"].int ?? 0),
            reason: json["reason"].string ?? "", message: json["message"].string,
            startedAt: json["startedAt"].string.flatMap(Timestamp.init) ?? epoch,
            finishedAt: json["finishedAt"].string.flatMap(Timestamp.init) ?? epoch,
            containerID: json["containerID"].string ?? "")
    }
}

extension Termination {
    /// The end that the runtime reports; the message is what the container left behind.
    init?(_ state: ContainerState, message: String?) {
        guard case .exited(let code, let signal, let outOfMemory, let at) = state.phase else { return nil }
        self.init(
            exitCode: code, signal: signal,
            reason: outOfMemory ? "OOMKilled" : code == 0 ? "Completed" : "Error", message: message,
            startedAt: state.startedAt, finishedAt: at, containerID: state.id.apiID)
    }
}

extension ContainerID {
    /// `containerID` as the API shows it: `martlet://` and 64 hexadecimal digits that follow from the identity.
    var apiID: String {
        var text = "martlet://"
        for salt in UInt64(0)..<4 {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ salt
            for byte in "\(podUID)/\(name)/\(restart)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            // Texts that differ in one letter are to give identities that look different (murmur3's finalizer).
            hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
            hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
            hash ^= hash >> 33
            let digits = String(hash, radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }
}
