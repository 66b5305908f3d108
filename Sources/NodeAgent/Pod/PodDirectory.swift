import ClusterLayout
import Glibc
import Linux
import PodRuntime

/// Removes a pod's directories after what is mounted in them. It blocks.
func removePodDirectories(_ uid: String, of node: NodePaths) {
    let path = node.pod(uid)
    VolumePlugins.tearDown(podDirectory: path)
    SharedMemory(podDirectory: path).remove()
    try? removeTree("\(node.memory)/\(uid)")
    try? removeTree(path)
}

/// Removes a run's log with its rotated parts. It blocks.
func removeLogs(_ path: String) {
    guard let slash = path.lastIndex(of: "/") else { return }
    let directory = String(path[..<slash])
    let file = String(path[path.index(after: slash)...])
    for name in (try? listDirectory(directory)) ?? [] where name == file || name.hasPrefix(file + ".") {
        unlink("\(directory)/\(name)")
    }
}

/// The last `limit` bytes of a file; nil if it cannot be read. It blocks.
func readTail(_ path: String, limit: Int) -> [UInt8]? {
    guard let file = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), let status = try? file.status(),
        status.st_mode & S_IFMT == S_IFREG
    else { return nil }
    var buffer = [UInt8](repeating: 0, count: min(limit, Int(status.st_size)))
    let start = max(0, Int(status.st_size) - limit)
    let count = file.withRawValue { pread($0, &buffer, buffer.count, start) }
    return count < 0 ? nil : Array(buffer[..<count])
}
