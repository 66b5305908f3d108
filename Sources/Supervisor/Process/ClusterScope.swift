import ClusterLayout
import Glibc
import Linux
import Logging
import Systemd

/// The cluster's unit in systemd, where that and version 2 of control groups run the machine: a scope below which
/// Martlet makes its groups. Whatever started the cluster, be it a service that ends, does not take the cluster along.
struct ClusterScope: Sendable {
    private let name: String
    private let profile: String
    private let mountPoint: String

    /// Nil where there is no such thing.
    init?(paths: ClusterPaths) {
        guard Scope.isOffered, CgroupV1() == nil, let mountPoint = CgroupV2.mountPoint else { return nil }
        name = clusterScope(stateDirectory: paths.state)
        profile = paths.profile
        self.mountPoint = mountPoint
    }

    /// Moves this process, and so what it starts from now on, into the scope; the scope of a supervisor that died is
    /// still there if anything of the cluster runs.
    func enter(logger: Logger) async {
        do {
            let directory = "\(mountPoint)/system.slice/\(name)"
            if CgroupV2.ownGroup != "/system.slice/\(name)/\(CgroupV2.controlLeaf)", try await !join(directory) {
                try await make()
                guard try await join(directory) else { throw SystemError("join", errno: ENOENT, directory) }
            }
            logger.info("systemd has the cluster as \(name)")
        } catch {
            logger.warning("systemd has no unit for the cluster, which ends with what started it: \(error)")
        }
    }

    private func make() async throws {
        let (name, profile) = (name, profile)
        // A scope that has just become empty is there for a little while.
        for attempt in 0..<60 {
            let fault = await Blocking.run {
                Scope.start(name, description: "Martlet cluster \(profile)", process: getpid())
            }
            if fault == 0 { break }
            guard fault == EEXIST, attempt < 59 else { throw SystemError("StartTransientUnit", errno: fault, name) }
            try await Task.sleep(for: .milliseconds(50))
        }
        for _ in 0..<500 {
            if CgroupV2.ownGroup.hasSuffix("/\(name)") { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw SystemError("StartTransientUnit", errno: ETIMEDOUT, name)
    }

    /// - Returns: false where there is no scope to join.
    private func join(_ directory: String) async throws(SystemError) -> Bool {
        try await Blocking.run { () throws(SystemError) in
            guard access("\(directory)/cgroup.procs", F_OK) == 0, isInUse(directory) else { return false }
            let leaf = "\(directory)/\(CgroupV2.controlLeaf)"
            try makeDirectory(leaf)
            try writeControl("\(leaf)/cgroup.procs", "\(getpid())")
            return true
        }
    }

    /// systemd ends a scope in which nothing runs.
    private func isInUse(_ directory: String) -> Bool {
        (try? readFile("\(directory)/cgroup.events"))?.contains("populated 1") ?? false
    }
}
