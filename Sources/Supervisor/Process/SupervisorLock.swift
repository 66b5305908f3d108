import ClusterLayout
import Glibc
import Linux

/// Held by a cluster's one supervisor for as long as it lives.
struct SupervisorLock: ~Copyable {
    private let lock: FileLock

    init(_ paths: ClusterPaths) throws(SupervisorError) {
        try Files.makePrivateDirectory(paths.runtime)
        let taken: FileLock?
        do throws(SystemError) {
            taken = try FileLock(trying: paths.lock)
        } catch {
            throw Files.failure(paths.lock, "open it", error.errno)
        }
        guard let taken = consume taken else {
            throw .failed("another supervisor runs cluster \"\(paths.profile)\" already")
        }
        lock = taken
    }
}
