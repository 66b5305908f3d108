import Glibc
import Linux

struct HostPathError: Error, CustomStringConvertible {
    let description: String
}

/// Checks a `hostPath` volume against its `type`, and makes what the type says is to be made. It blocks.
func checkHostPath(_ path: String, type: String) throws(HostPathError) {
    var status = stat()
    let exists = stat(path, &status) == 0
    let kind = status.st_mode & S_IFMT
    func require(_ wanted: mode_t, _ words: String) throws(HostPathError) {
        guard exists, kind == wanted else {
            throw HostPathError(description: "hostPath type check failed: \(path) is not a \(words)")
        }
    }
    switch type {
    case "": return
    case "DirectoryOrCreate":
        if !exists {
            do { try makeFolder(path) } catch { throw HostPathError(description: "\(error)") }
        } else {
            try require(S_IFDIR, "directory")
        }
    case "FileOrCreate":
        if !exists {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw HostPathError(description: "\(SystemError("create", path))") }
            close(descriptor)
        } else {
            try require(S_IFREG, "file")
        }
    case "Directory": try require(S_IFDIR, "directory")
    case "File": try require(S_IFREG, "file")
    case "Socket": try require(S_IFSOCK, "socket file")
    case "CharDevice": try require(S_IFCHR, "character device")
    case "BlockDevice": try require(S_IFBLK, "block device")
    default: throw HostPathError(description: "\"\(type)\" is an invalid volume type")
    }
}
