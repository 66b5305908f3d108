import KubernetesModel
import Linux
import PodRuntime

/// How much of the node's disk a pod may fill: the limits of its volumes, and `ephemeral-storage` of its
/// containers, each and all together. The kernel enforces neither, so they are measured from time to time, as the
/// kubelet does it. A writable layer in memory has its limit from the kernel, and does not count.
struct StorageLimits: Sendable {
    private struct Place: Sendable {
        let directories: [String]
        let limit: Int
        /// The message of the pod's status where there is more.
        let message: String
    }

    private let places: [Place]

    /// - Parameter runs: the container runs that there are now.
    init(pod: Object, paths: PodPaths, runs: [ContainerID]) {
        var places: [Place] = []
        var volumes: [String] = []
        for (plugin, volume) in VolumePlugins.volumes(of: pod) {
            guard let storage = plugin.localStorage(volume), let path = plugin.path(volume, in: paths) else { continue }
            volumes.append(path)
            guard let limit = storage.limit else { continue }
            places.append(Place(directories: [path], limit: limit.value, message: storage.excess))
        }
        func layers(_ runs: [ContainerID]) -> [String] {
            runs.map { "\(paths.container($0.name))/\($0.restart)/upper" }
        }
        if let limit = Pod(pod).limits["ephemeral-storage"] {
            places.append(
                Place(
                    directories: layers(runs) + [paths.logs] + volumes, limit: limit.value,
                    message: "Pod ephemeral local storage usage exceeds the total limit of containers \(limit). "))
        }
        for container in Pod(pod).containers {
            guard let limit = container.limits["ephemeral-storage"] else { continue }
            places.append(
                Place(
                    directories: layers(runs.filter { $0.name == container.name }) + [
                        "\(paths.logs)/\(container.name)"
                    ],
                    limit: limit.value,
                    message:
                        "Container \(container.name) exceeded its local ephemeral storage limit \"\(limit)\". "))
        }
        self.places = places
    }

    var isEmpty: Bool { places.isEmpty }

    /// The kubelet's message for the first limit that is exceeded; nil for none. It blocks while it looks at all files.
    func excess() -> String? {
        var sizes: [String: Int] = [:]
        func size(_ directory: String) -> Int {
            if let known = sizes[directory] { return known }
            let size = diskUsage(directory)
            sizes[directory] = size
            return size
        }
        return places.first { place in place.directories.reduce(0) { $0 + size($1) } > place.limit }?.message
    }
}
