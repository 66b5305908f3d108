import KubernetesModel

/// A type of volume: one file a plug-in, one row in `VolumePlugins.all`. Nothing else of the node knows types of volumes.
protocol VolumePlugin: Sendable {
    /// The field that makes a volume of a pod's specification one of this type, such as `emptyDir`.
    var name: String { get }
    /// The directory of such volumes among a pod's own, after the kubelet's `kubernetes.io~`; nil where they are not
    /// in the pod's directory.
    var directory: String? { get }

    /// Where the volume is on the host; nil where its fields do not say it.
    func path(_ volume: Volume, in pod: PodPaths) -> String?
    /// Makes the volume; called again, brings it up to date.
    ///
    /// - Returns: when it has to be called again at the latest, for its content expires.
    /// - Throws: an error whose description is for the `FailedMount` event.
    func setUp(_ volume: Volume, at path: String, host: VolumeHost) async throws -> Timestamp?
    /// Undoes what removing the pod's directory does not, such as a mount. It blocks.
    func tearDown(at path: String)

    /// What a container's mounts need to know.
    func mountable(_ volume: Volume, at path: String) -> MountableVolume
    /// What of the node's disk it takes; nil where that does not count as the pod's `ephemeral-storage`.
    func localStorage(_ volume: Volume) -> LocalStorage?
}

extension VolumePlugin {
    func path(_ volume: Volume, in pod: PodPaths) -> String? { directory.map { pod.volume($0, volume.name) } }
    func tearDown(at path: String) {}
    func mountable(_ volume: Volume, at path: String) -> MountableVolume { MountableVolume(path: path) }
    func localStorage(_ volume: Volume) -> LocalStorage? { nil }
}

/// A volume of a pod's specification.
struct Volume: Sendable {
    let name: String
    /// The fields of its type.
    let source: JSON
}

/// What a volume takes of the node's disk.
struct LocalStorage: Sendable {
    /// Nil where only the pod's own limit holds.
    let limit: Quantity?
    /// What the pod's status says where it takes more.
    let excess: String
}

/// What plug-ins have of the pod and its node; the kubelet calls it the same.
struct VolumeHost: Sendable {
    let downward: DownwardAPI
    let lookup: ReferenceLookup
    let tokens: TokenSource

    var pod: Object { downward.pod }
    /// The user that all of the pod's containers are told to run as; nil where they are not, or differ. Ephemeral ones
    /// do not count, as with the kubelet.
    var user: Int? {
        let containers = pod.spec["initContainers"].items + pod.spec["containers"].items
        let users = containers.map {
            ($0["securityContext"]["runAsUser"].int ?? pod.spec["securityContext"]["runAsUser"].int)
        }
        guard let first = users.first, users.allSatisfy({ $0 == first }) else { return nil }
        return first
    }
    /// The group that owns the files of the pod's volumes.
    var group: Int? { pod.spec["securityContext"]["fsGroup"].int }
}

struct VolumeError: Error, CustomStringConvertible {
    let description: String
}
