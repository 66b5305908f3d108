import Glibc
import KubernetesModel
import Linux
import PodRuntime

/// Finds a container's seccomp profile: its own, else its pod's, else that of container engines.
struct SeccompLookup: Sendable {
    /// Of `Localhost` profiles, as the kubelet's `seccomp` directory.
    let directory: String

    /// It blocks, for a read of a small file.
    func resolve(pod: JSON, container: JSON) throws(StartFailure) -> Seccomp {
        let profile = container["seccompProfile"].isNull ? pod["seccompProfile"] : container["seccompProfile"]
        switch profile["type"].string {
        case "Unconfined": return .unconfined
        case "RuntimeDefault": return .runtimeDefault(required: true)
        case "Localhost": return .profile(try read(profile["localhostProfile"].string ?? ""))
        default: return .runtimeDefault(required: false)
        }
    }

    private func read(_ name: String) throws(StartFailure) -> JSON {
        let path = "\(directory)/\(name)"
        do {
            let parent = try Descriptor.open(directory, O_PATH | O_DIRECTORY)
            let file = try Descriptor.open(name, in: parent, O_RDONLY | O_NONBLOCK, confined: .beneath)
            return try JSON(decoding: try file.readRegularFile(limit: 1 << 20))
        } catch {
            throw .configuration(
                reason: "CreateContainerError",
                message: "cannot load seccomp profile \"\(path)\": \(error); put it there, or use type RuntimeDefault")
        }
    }
}
