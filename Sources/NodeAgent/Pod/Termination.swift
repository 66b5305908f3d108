import KubernetesModel
import PodRuntime

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
