import Glibc
import KubernetesModel
import Linux

/// `hostPath`: a file or directory of the machine.
struct HostPathVolume: VolumePlugin {
    var name: String { "hostPath" }
    var directory: String? { nil }

    func path(_ volume: Volume, in pod: PodPaths) -> String? { volume.source["path"].string }

    func setUp(_ volume: Volume, at path: String, host: VolumeHost) async throws -> Timestamp? {
        let type = type(volume)
        try await Blocking.run { () throws(VolumeError) in try checkHostPath(path, type: type) }
        return nil
    }

    func mountable(_ volume: Volume, at path: String) -> MountableVolume {
        MountableVolume(path: path, isMadeOnMount: type(volume).isEmpty)
    }

    private func type(_ volume: Volume) -> String { volume.source["type"].string ?? "" }
}

/// Checks a `hostPath` volume against its `type`, and makes it where the type says so. It blocks.
func checkHostPath(_ path: String, type: String) throws(VolumeError) {
    var status = stat()
    let exists = stat(path, &status) == 0
    let kind = status.st_mode & S_IFMT
    func require(_ wanted: mode_t, _ words: String) throws(VolumeError) {
        guard exists, kind == wanted else {
            throw VolumeError(description: "hostPath type check failed: \(path) is not a \(words)")
        }
    }
    switch type {
    case "": return
    case "DirectoryOrCreate":
        if !exists {
            do { try makeDirectory(path, exactly: 0o755) } catch { throw VolumeError(description: "\(error)") }
        } else {
            try require(S_IFDIR, "directory")
        }
    case "FileOrCreate":
        if !exists {
            do throws(SystemError) {
                try Descriptor.open(path, O_WRONLY | O_CREAT, mode: 0o644).withRawValue { _ = fchmod($0, 0o644) }
            } catch {
                throw VolumeError(description: "\(SystemError("create", errno: error.errno, path))")
            }
        } else {
            try require(S_IFREG, "file")
        }
    case "Directory": try require(S_IFDIR, "directory")
    case "File": try require(S_IFREG, "file")
    case "Socket": try require(S_IFSOCK, "socket file")
    case "CharDevice": try require(S_IFCHR, "character device")
    case "BlockDevice": try require(S_IFBLK, "block device")
    default: throw VolumeError(description: "\"\(type)\" is an invalid volume type")
    }
}
