import ClusterLayout
import Glibc

/// Held by a cluster's one supervisor for as long as it lives.
struct SupervisorLock {
    private let descriptor: Int32

    init(_ paths: ClusterPaths) throws(SupervisorError) {
        try Files.makeFolder(paths.runtime)
        descriptor = open(paths.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .file(
                path: paths.lock, problem: "cannot open it: \(String(cString: strerror(errno)))",
                remedy: "make it writable for this user")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .failed("another supervisor runs cluster \"\(paths.profile)\" already")
        }
    }

    func release() { close(descriptor) }
}
