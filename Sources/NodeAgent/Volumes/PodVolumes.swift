import KubernetesModel

/// The volumes of one pod.
struct PodVolumes: Sendable {
    let paths: PodPaths
    let host: VolumeHost

    /// Makes every volume that is not there yet, and renews the content of those that come from the API.
    ///
    /// - Returns: when the next service account token has to be renewed.
    /// - Throws: `VolumeError` with the text of the `FailedMount` event.
    func setUp() async throws -> Timestamp? {
        var renewal: Timestamp?
        for json in host.pod.spec["volumes"].items {
            do {
                guard let (plugin, volume) = VolumePlugins.find(json), let path = plugin.path(volume, in: paths) else {
                    let type = json.object?.keys.first { $0 != "name" } ?? "?"
                    throw VolumeError(description: "volumes of type \(type) are not supported by this node")
                }
                if let moment = try await plugin.setUp(volume, at: path, host: host) {
                    renewal = min(renewal ?? moment, moment)
                }
            } catch {
                let name = json["name"].string ?? ""
                throw VolumeError(description: "MountVolume.SetUp failed for volume \"\(name)\" : \(error)")
            }
        }
        return renewal
    }

    /// What containers can mount, by the volume's name.
    var mountable: [String: MountableVolume] {
        var result: [String: MountableVolume] = [:]
        for (plugin, volume) in VolumePlugins.volumes(of: host.pod) {
            guard let path = plugin.path(volume, in: paths) else { continue }
            result[volume.name] = plugin.mountable(volume, at: path)
        }
        return result
    }
}
