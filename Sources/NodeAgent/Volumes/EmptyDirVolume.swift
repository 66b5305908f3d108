import Glibc
import KubernetesModel
import Linux

/// `emptyDir`: a directory of the pod's own, on the node's disk or in memory.
struct EmptyDirVolume: VolumePlugin {
    var name: String { "emptyDir" }
    var directory: String? { "empty-dir" }

    func setUp(_ volume: Volume, at path: String, host: VolumeHost) async throws -> Timestamp? {
        let isInMemory = isInMemory(volume)
        let limit = Quantity(volume.source["sizeLimit"])?.value
        let group = host.group
        try await Blocking.run { () throws(SystemError) in
            try makeDirectory(path, mode: 0o777)
            if isInMemory, !isMountPoint(path) {
                let options = limit.map { "mode=1777,size=\($0)" } ?? "mode=1777"
                // The pod outlives this process.
                try MemoryMount(at: path, options: options).leave()
            }
            if let group {
                chown(path, 0, gid_t(truncatingIfNeeded: group))
                chmod(path, 0o2777)
            } else {
                chmod(path, 0o777)
            }
        }
        return nil
    }

    func tearDown(at path: String) { unmountAll(at: path) }

    /// What is in memory has its limit from the kernel, and does not count.
    func localStorage(_ volume: Volume) -> LocalStorage? {
        if isInMemory(volume) { return nil }
        let limit = Quantity(volume.source["sizeLimit"]).flatMap { $0.isZero ? nil : $0 }
        return LocalStorage(
            limit: limit,
            excess: "Usage of EmptyDir volume \"\(volume.name)\" exceeds the limit \"\(limit ?? .zero)\". ")
    }

    private func isInMemory(_ volume: Volume) -> Bool { volume.source["medium"].string == "Memory" }
}
