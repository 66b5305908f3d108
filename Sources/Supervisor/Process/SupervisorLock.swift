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
        // By which commands find a supervisor that does not answer.
        if let process = ProcessIdentity(pid: getpid()) {
            try Files.write(Array(process.description.utf8), to: paths.pidFile(Self.pidFile))
        }
        lock = taken
    }

    /// As the pid files of components are called.
    static let pidFile = "supervisor"

    /// The supervisor that has written itself down, where that runs.
    static func supervisor(_ paths: ClusterPaths) -> ProcessIdentity? {
        let text = (try? Files.text(paths.pidFile(pidFile))).flatMap { $0 }
        return text.flatMap(ProcessIdentity.init(_:)).flatMap { $0.isRunning ? $0 : nil }
    }
}
