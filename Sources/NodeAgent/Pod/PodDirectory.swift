import Glibc
import Linux
import PodRuntime

/// Removes a pod's directory after what is mounted in it. It blocks.
func removePodDirectory(_ path: String) {
    VolumePlugins.tearDown(podFolder: path)
    SharedMemory(podFolder: path).remove()
    try? removeTree(path)
}

/// Removes a run's log with its rotated parts. It blocks.
func removeLogs(_ path: String) {
    guard let slash = path.lastIndex(of: "/") else { return }
    let folder = String(path[..<slash])
    let file = String(path[path.index(after: slash)...])
    for name in (try? listFolder(folder)) ?? [] where name == file || name.hasPrefix(file + ".") {
        unlink("\(folder)/\(name)")
    }
}

/// The last `limit` bytes of a file; nil if it cannot be read. It blocks.
func readTail(_ path: String, limit: Int) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: min(limit, Int(status.st_size)))
    let count = pread(descriptor, &buffer, buffer.count, max(0, Int(status.st_size) - limit))
    return count < 0 ? nil : Array(buffer[..<count])
}
