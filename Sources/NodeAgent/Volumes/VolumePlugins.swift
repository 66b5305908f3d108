import KubernetesModel
import Linux

enum VolumePlugins {
    static let all: [any VolumePlugin] = [
        EmptyDirVolume(), HostPathVolume(), ConfigMapVolume(), SecretVolume(), ProjectedVolume(), DownwardAPIVolume(),
    ]

    /// One of a pod's volumes with the plug-in that handles it; nil where none does.
    static func find(_ json: JSON) -> (plugin: any VolumePlugin, volume: Volume)? {
        guard let name = json["name"].string, let plugin = all.first(where: { !json[$0.name].isNull }) else {
            return nil
        }
        return (plugin, Volume(name: name, source: json[plugin.name]))
    }

    /// The volumes of a pod that plug-ins handle.
    static func volumes(of pod: Object) -> [(plugin: any VolumePlugin, volume: Volume)] {
        pod.spec["volumes"].items.compactMap(find)
    }

    /// Tears down all volumes in a pod's directory, also where nobody knows the pod any more. It blocks.
    static func tearDown(podDirectory: String) {
        for plugin in all {
            guard let directory = plugin.directory else { continue }
            let parent = "\(podDirectory)/volumes/kubernetes.io~\(directory)"
            for name in (try? listDirectory(parent)) ?? [] { plugin.tearDown(at: "\(parent)/\(name)") }
        }
    }
}
