import KubernetesModel
import Linux

/// What files of a volume can be made from: a volume of its own, or a source of a `projected` one.
protocol ContentSource: Sendable {
    /// Its field in a volume and in `projected.sources`.
    var name: String { get }
    /// - Returns: when the content has to be renewed.
    func add(_ source: JSON, to content: inout VolumeContent, host: VolumeHost) async throws -> Timestamp?
}

/// A type of volume whose files the node writes.
protocol GeneratedVolumePlugin: VolumePlugin, ContentSource {
    /// Whether its files may never reach a disk; with the kubelet that is so of all but ConfigMaps.
    var isSecret: Bool { get }
}

extension GeneratedVolumePlugin {
    var isSecret: Bool { true }

    func path(_ volume: Volume, in pod: PodPaths) -> String? {
        directory.map { directory in
            let onDisk = pod.volume(directory, volume.name)
            // A pod that an earlier version has started goes on with what its containers have mounted.
            guard isSecret, readLink(onDisk + "/..data") == nil else { return onDisk }
            return pod.memoryVolume(directory, volume.name)
        }
    }

    func mountable(_ volume: Volume, at path: String) -> MountableVolume {
        MountableVolume(path: path, isGenerated: true)
    }

    func setUp(_ volume: Volume, at path: String, host: VolumeHost) async throws -> Timestamp? {
        var content = VolumeContent(defaultMode: volume.source["defaultMode"].int)
        let renewal = try await add(volume.source, to: &content, host: host)
        let (ready, group) = (content, host.group)
        try await Blocking.run { () throws(SystemError) in try ready.write(to: path, group: group) }
        return renewal
    }
}
